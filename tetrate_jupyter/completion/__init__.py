"""One completion, from prompt to answer: variables, images, schema, tools, request, stream, answer."""
