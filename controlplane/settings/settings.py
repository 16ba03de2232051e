"""Every setting of every process, in one place. `callplane settings` prints this file's fields."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from the environment, prefix `CALLPLANE_`; nothing else is read."""

    model_config = SettingsConfigDict(env_prefix="CALLPLANE_", frozen=True, extra="ignore")

    data: Path = Field(
        default=Path(".callplane"),
        description="Folder for everything a single machine keeps (PostgreSQL, prompts, recordings).",
    )
    spool_bytes: int = Field(
        default=1 << 30,
        description="Most bytes of journal entries that wait in the data folder while PostgreSQL is away (a call takes"
        " about 15 KB). They are encrypted with the secret key, and only the owner may read them.",
    )
    database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL, as postgresql://…; unset: an embedded one in the data folder."
    )
    broker_url: SecretStr | None = Field(
        default=None, description="Celery's broker, amqp://… or redis://…; unset: the memory of a single worker."
    )
    public_url: str = Field(
        default="http://127.0.0.1:8080", description="Where tenants reach the API; the base of links in callbacks."
    )
    allow_private_hooks: bool = Field(
        default=False,
        description="Let applications live on loopback and private addresses, and SIP addresses there be dialled "
        "(a laptop, a test).",
    )
    freeswitch: str | None = Field(default=None, description="The freeswitch program, where it is not on the PATH.")
    nodes: str = Field(
        default="", description="Media nodes: name=host:port, comma between. Empty: the one that `up` starts."
    )
    esl_password: SecretStr = Field(default=SecretStr("ClueCon"), description="Password of the nodes' event socket.")
    gateway: str = Field(
        default="",
        description="Where calls to numbers go: host[:port][;transport=udp|tcp|tls]. Empty: calls to numbers fail.",
    )
    sip_profile: str = Field(default="internal", description="The sofia profile that calls leave by.")
    secret_key: SecretStr | None = Field(
        default=None,
        description="Key that encrypts secrets at rest, 32 bytes in base64; unset: made in the data folder. Of several,"
        " comma between, the first encrypts and all decrypt (see `callplane reseal`).",
    )
    prompts: Path | None = Field(
        default=None, description="Folder of prompts, as this process sees it; unset: prompts in the data folder."
    )
    recordings: Path | None = Field(
        default=None, description="Folder that media nodes record into, as this process sees it."
    )
    node_prompts: str | None = Field(
        default=None, description="The prompts folder as a media node sees it, where that differs."
    )
    node_recordings: str | None = Field(
        default=None, description="The recordings folder as a media node sees it, where that differs."
    )
    node_files: str = Field(
        default="",
        description="Media nodes without a shared folder: name=http://host:port of `callplane serve files` on each.",
    )
    node_files_token: SecretStr | None = Field(
        default=None, description="Token that `callplane serve files` asks for; the same on every node."
    )
    storage: str = Field(
        default="", description="Where recordings are kept: a folder, or s3://bucket/prefix. Empty: in the data folder."
    )
    s3_endpoint: str | None = Field(
        default=None, description="Address of an S3-compatible service; unset: the region's own."
    )
    s3_region: str = Field(default="us-east-1", description="Region of the bucket.")
    s3_access_key: SecretStr | None = Field(default=None, description="Access key of the bucket.")
    s3_secret_key: SecretStr | None = Field(default=None, description="Secret key of the bucket.")
    tts: str = Field(default="espeak-ng", description="Speech engine: espeak-ng, flite, or tone (beeps, for tests).")
    door_watchdog_s: int = Field(
        default=10,
        description="Seconds after which a parked call that nobody claims ends with a cause that tries another node.",
    )
    core_databases: SecretStr | None = Field(
        default=None,
        description="The nodes' core databases, postgresql://… with {node} for a node's name: answered calls of a node"
        " that dies go on on another. Unset: they end with it.",
    )
    node_lost_after_s: int = Field(
        default=0,
        description="Seconds after which a media node that no call server reaches counts as dead; 0: 10 with core"
        " databases, else 60. One that was restarted does at once; with core databases one that refuses links, too.",
    )
    fence_command: str = Field(
        default="",
        description="Program that makes sure that a node counted as dead does nothing more, called with its name behind"
        " the arguments; status 0 within 5 s, or its calls are not brought up elsewhere. Empty: what is on record.",
    )
    metrics_port: int = Field(
        default=0,
        description="Port of the Prometheus endpoint of this process on loopback; 0: none. `up` gives it to the call"
        " server, and the next ones to worker, API and emulator.",
    )
    node_gone_after_s: int = Field(
        default=900,
        ge=60,
        description="Seconds after which calls of a media node that no call server has in CALLPLANE_NODES any more are"
        " taken to be over, with a verdict that says so.",
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    cps_limit: int = Field(
        default=10, description="Calls per second that one account may start, unless the account says otherwise."
    )
    channel_cap: int = Field(
        default=200, description="Simultaneous calls of one account, unless the account says otherwise."
    )
    gateway_cps_limit: int = Field(default=50, description="Calls per second through the gateway, over all accounts.")
    gateway_channel_cap: int = Field(
        default=1000, description="Simultaneous calls through the gateway, over all accounts."
    )
    overload_loop_lag_ms: int = Field(
        default=200,
        description="A call server whose event loop is so late refuses new calls until it is not; 0: never.",
    )
    overload_link_delay_ms: int = Field(
        default=300, description="The same for news of a media node that is read so late; 0: never."
    )
    overload_commit_ms: int = Field(
        default=1000,
        description="The same for entries that are on record so late; 0: never. What PostgreSQL has not committed after"
        " half a second goes to the disk, so that a bound near that refuses new calls whenever PostgreSQL hangs.",
    )
    overload_documents: int = Field(
        default=2000, description="The same for so many requests to applications under way; 0: never."
    )
