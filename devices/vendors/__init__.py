"""One module per vendor format; ``devices.vendor`` lists them by name."""
