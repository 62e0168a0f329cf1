"""The model that Skerry ships: its documents, training, export and figures. For developers, not in the wheel."""
