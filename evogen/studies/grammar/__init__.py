"""The study of grammars: module by module, from the sets and arms to the printed verdict."""
