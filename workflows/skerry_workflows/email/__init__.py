"""The email workflow: from the bytes of a message to where it belongs, and a draft of the answer.

In reading order: `model` (what a message is), `mime` (any bytes to a `Message`; with `structure`, `headers`,
`addresses`, `dates`, `charsets`, `html`), `threads` (which belong together), `quotes` (what is new in a reply), `links`
(which lie), `spam`, `categories`, `wishes` (what it asks for, and by when), then `workflow`.
"""
