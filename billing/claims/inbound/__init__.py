"""What other systems tell of patients, coverages and visits: values in, proposals out.

Owns reading ADT messages, FHIR resources and visit events. Does not own storing them, nor any
change: a proposal is shown to a person. Values that cannot be understood are left out with a
finding; findings never hold a value.
"""
