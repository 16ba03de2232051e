"""What is wrong with a document, told to the tenant who can mend it."""

from __future__ import annotations

from controlplane.base.errors import BadInput


class DocumentError(BadInput):
    """The document cannot be carried out."""

    slug = "document-error"

    def __init__(self, path: str, problem: str, code: int, line: int | None = None) -> None:
        """`path` names element and attribute ("Gather[2]@timeout"), `code` is the reference's error number."""
        self.path, self.problem, self.code, self.line = path, problem, code, line
        where = f"{path}, line {line}" if line is not None else path
        super().__init__(f"{where}: {problem}", code=code)
