"""Ways to write a URL that points inside, or that somebody may take for one that does."""

from __future__ import annotations

# {p} is the canary's port: it listens on 127.0.0.1.
_WRITTEN = """
    http://127.0.0.1:{p}/ http://127.0.0.2:{p}/ http://127.255.255.254:{p}/ http://localhost:{p}/ http://LOCALHOST:{p}/
    http://localhost.:{p}/ http://127.1:{p}/ http://127.0.1:{p}/ http://2130706433:{p}/ http://0x7f000001:{p}/
    http://0x7F.0x0.0x0.0x1:{p}/ http://0x7f.1:{p}/ http://0177.0.0.1:{p}/ http://017700000001:{p}/
    http://0177.0.0.01:{p}/ http://127.0.0.1.:{p}/ http://0:{p}/ http://0.0.0.0:{p}/ http://0x0:{p}/ http://00:{p}/
    http://[::1]:{p}/ http://[::]:{p}/ http://[0:0:0:0:0:0:0:1]:{p}/ http://[::ffff:127.0.0.1]:{p}/
    http://[::ffff:7f00:1]:{p}/ http://[::127.0.0.1]:{p}/ http://[64:ff9b::127.0.0.1]:{p}/ http://[2002:7f00:1::]:{p}/
    http://[::ffff:0:0]:{p}/ http://[::1%25lo]:{p}/ http://[::1%lo]:{p}/ http://[fe80::1%25lo]:{p}/
    http://[fe80::1]:{p}/ http://[v1.127.0.0.1]:{p}/ http://[127.0.0.1]:{p}/ http://①②⑦.⓪.⓪.①:{p}/
    http://１２７.０.０.１:{p}/ http://127。0。0。1:{p}/ http://127%2e0%2e0%2e1:{p}/ http://%31%32%37.0.0.1:{p}/
    http://ｌocalhost:{p}/ http://example.com:80@127.0.0.1:{p}/ http://example.com@127.0.0.1:{p}/
    http://127.0.0.1:{p}@127.0.0.1:{p}/ http://a@b@127.0.0.1:{p}/ http://127.0.0.1:{p}#@example.com/
    http://127.0.0.1:{p}?@example.com/ http://127.0.0.1\\@example.com:{p}/ http://example.com\\@127.0.0.1:{p}/
    http:\\\\127.0.0.1:{p}\\ http:/127.0.0.1:{p}/ http:127.0.0.1:{p}/ http:///127.0.0.1:{p}/ //127.0.0.1:{p}/
    http://256.256.256.256:{p}/ http://127.0.0.1:{p}:80/ http://127.0.0.1:+{p}/ http://4294967297:{p}/
    http://0x17f000001:{p}/ http://08.0.0.1:{p}/ http://1.127.0.0.1:{p}/ http://in_side.localhost:{p}/
    ftp://127.0.0.1:{p}/ file:///etc/passwd gopher://127.0.0.1:{p}/_x dict://127.0.0.1:{p}/ unix:///run/x
    ws://127.0.0.1:{p}/ tcp://127.0.0.1:{p}/ javascript:1 data:text/xml,<Response/> jar:http://127.0.0.1:{p}/!/
    HTTP://127.0.0.1:{p}/ hTTp://LocalHost:{p}/ http://169.254.169.254/latest/meta-data http://[fd00:ec2::254]/
    http://10.0.0.1:{p}/ http://192.168.0.1:{p}/ http://172.16.0.1:{p}/ http://100.64.0.1:{p}/
    http://metadata.internal.test:{p}/ http://both.test:{p}/ http://zone.test:{p}/ http://mapped.test:{p}/
"""
INSIDE = _WRITTEN.split()
