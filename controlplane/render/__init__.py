"""Configuration is a function: what is known goes in, files come out, the same bytes each time. Pure.

Templates are read from disk once, as code is.
"""

from controlplane.render.files import RenderedFile, digest_of
from controlplane.render.freeswitch import freeswitch_arguments, render_freeswitch
from controlplane.render.media_node import MediaNode, NodeFolders, verify_media_node

__all__ = [
    "MediaNode",
    "NodeFolders",
    "RenderedFile",
    "digest_of",
    "freeswitch_arguments",
    "render_freeswitch",
    "verify_media_node",
]
