"""The pictures of the guide: a demo is started, its month worked through, its pages drawn."""
