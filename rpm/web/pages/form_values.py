"""The fields of a form whose fields differ from case to case.

Owns reading them as they were sent. Does not own what they mean.
"""

from typing import Annotated

from fastapi import Depends, Request


async def form_values(request: Request) -> dict[str, str]:
    """Names and texts of the form that is sent; files are left out."""
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


FormValues = Annotated[dict[str, str], Depends(form_values)]
"""What a page route asks for."""
