"""`make golden`: write the golden trees anew. Read the difference before you commit it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.golden.cases import golden_trees


def main() -> None:
    """Replace every golden tree by what is rendered now."""
    for name, files in golden_trees().items():
        folder = Path(__file__).parent / name
        shutil.rmtree(folder, ignore_errors=True)
        for file in files:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.content, encoding="utf-8")
        print(f"{name}: {len(files)} files")


if __name__ == "__main__":
    main()
