"""The process that touches sound: reads jobs from its standard input, a line of JSON each, and answers in kind.

A job that takes too much processor time or memory ends it, and so does the end of its parent.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from controlplane.files.decode import convert
from controlplane.files.errors import UnusableAudio
from controlplane.files.voice_edits import join, make_mp3, measure, mend, mix, split, trim

_MEMORY_BYTES = 1 << 30
_FILE_BYTES = 1 << 30
JOBS: dict[str, Callable[..., Any]] = {
    "convert": lambda source, target, media_type: convert(Path(source), Path(target), media_type),
    "measure": lambda source: asdict(measure(Path(source))),
    "mend": lambda source, target: mend(Path(source), Path(target)),
    "trim": lambda source, target: trim(Path(source), Path(target)),
    "split": lambda source, first, second: split(Path(source), Path(first), Path(second)),
    "join": lambda first, second, target: join(Path(first), Path(second), Path(target)),
    "mix": lambda source, target: mix(Path(source), Path(target)),
    "make_mp3": lambda source, target: make_mp3(Path(source), Path(target)),
}


def main() -> None:
    """Do jobs until there are no more. The first argument is how many seconds of processor time a job may take."""
    cpu_s = int(sys.argv[1])
    for kind, most in ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_FSIZE, _FILE_BYTES)):
        resource.setrlimit(kind, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin.buffer:
        _allow_cpu(cpu_s)
        sys.stdout.write(json.dumps(_answer(json.loads(line))) + "\n")
        sys.stdout.flush()


def _answer(job: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"done": JOBS[job["job"]](*job["arguments"])}
    except UnusableAudio as error:
        return {"unusable": error.problem}
    except MemoryError:
        return {"unusable": "the file takes too much memory to read"}
    except OSError as error:
        return {"failed": error.strerror or str(error)}


def _allow_cpu(cpu_s: int) -> None:
    """Let the next job have its share: the limit counts from the process's beginning."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + cpu_s + 1, hard))


if __name__ == "__main__":
    main()
