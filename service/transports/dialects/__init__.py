"""The same log in the formats of other clients: what each update means, and how each dialect says that."""
