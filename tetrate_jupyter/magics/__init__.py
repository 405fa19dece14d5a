"""The IPython magics; thin, options in and session calls out."""
