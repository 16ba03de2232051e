"""The process that sends and takes audio."""

from __future__ import annotations

import pickle
import socket
import threading

from controlplane.emulator.phones.media_process import MESSAGE_BYTES, Close, Open, SayNext, serve


def test_what_is_ordered_for_a_telephone_that_hung_up_ends_nobody_elses_audio() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    serving = threading.Thread(target=serve, args=(theirs,))
    serving.start()
    with ours, socket.socket(type=socket.SOCK_DGRAM) as first, socket.socket(type=socket.SOCK_DGRAM) as second:
        first.setblocking(False)
        second.setblocking(False)
        ours.recv(MESSAGE_BYTES)
        for order in (Open(1), Close(1), SayNext(1, b"late"), Open(2), Close(2)):
            handed = [{1: first, 2: second}[order.stream].fileno()] if isinstance(order, Open) else []
            socket.send_fds(ours, [pickle.dumps(order)], handed)
        closed: list[int] = []
        while 2 not in closed:
            closed += [number for number, _, datagram in pickle.loads(ours.recv(MESSAGE_BYTES)) if not datagram]
        ours.shutdown(socket.SHUT_RDWR)
        serving.join()
    theirs.close()
    assert closed == [1, 2]
