"""One completion, from prompt to answer: images, schema, tools, request, stream, answer."""
