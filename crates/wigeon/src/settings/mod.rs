//! The settings: one struct that the flags, the environment and the config file all fill.
//!
//! Each field's comment is its help text and its entry in the reference of docs/operating.md. A field is
//! `None` where a source does not speak of it; [`Settings::over`] lays one source over another, and
//! [`Settings::defaults`] lies under all of them. What a value may be is said once, by its `FromStr`.

mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use wigeon_proto::limits::{SOCKJS_RESPONSE_BYTES_MAX, STREAM_BYTES_MAX};
use wigeon_server::auth::Guests;
use wigeon_store::Durability;

use values::{
    AllowedOrigin, ClientUrl, DurabilitySetting, ListenAddress, NatsUrl, PreviewNetwork, PublicUrl, Replicas,
    RetentionDays, StreamBytes, StreamName, text, texts,
};
pub(crate) use values::{LogFormat, LogLevel, Switch};

/// All that can be set.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Address and port to listen on; may be said several times
    ///
    /// Port 0 takes any free port and says which. `0.0.0.0` and `[::]` stand for every address of the
    /// machine. The server speaks plain HTTP: where others than this machine reach it, put a proxy that
    /// does TLS in front.
    #[arg(long, value_name = "ADDRESS")]
    #[serde(default, deserialize_with = "texts")]
    pub(crate) listen: Option<Vec<ListenAddress>>,

    /// Directory for everything that is remembered
    ///
    /// Made at the first start, for its owner alone. One server at a time uses it. In a config file, a
    /// relative path begins at the file's own directory.
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) data: Option<PathBuf>,

    /// URL under which people reach the server; may be said several times
    ///
    /// Needed behind a proxy, and where a domain points at the server. It says which `Host` is answered
    /// (others get 421) and which pages count as our own.
    #[arg(long, value_name = "URL")]
    #[serde(default, deserialize_with = "texts")]
    pub(crate) public_url: Option<Vec<PublicUrl>>,

    /// Another site whose pages may use the server; may be said several times
    ///
    /// Scheme, host and port, compared exactly. `null` (sandboxed frames, files) can be listed, and then
    /// stands for anybody.
    #[arg(long, value_name = "ORIGIN")]
    #[serde(default, deserialize_with = "texts")]
    pub(crate) allow_origin: Option<Vec<AllowedOrigin>>,

    /// Who may come in by a name alone: on, off or auto
    ///
    /// `on` is everybody who reaches the server, `off` nobody: they need a token. `auto` is who sits at
    /// this machine: the request arrived at a loopback address, asks for a loopback host, and carries no
    /// `Forwarded`, `X-Forwarded-…`, `X-Real-IP` or `Via` header of a proxy. With a public URL, `auto` is
    /// `off`.
    #[arg(long, value_name = "WHO")]
    #[serde(default, deserialize_with = "text")]
    pub(crate) guests: Option<Guests>,

    /// What an acknowledged message survives: fsync, os or memory
    ///
    /// `fsync` is a power failure, `os` a crash of the program but not of the machine. `memory` promises
    /// nothing beyond a clean stop, and at each start clients take a new snapshot: for benchmarks.
    #[arg(long, value_name = "HOW")]
    #[serde(default, deserialize_with = "text")]
    pub(crate) durability: Option<DurabilitySetting>,

    /// Days for which messages are kept at most; 0 keeps them for ever
    ///
    /// A room's own `retention_days` can be shorter, not longer. Messages go within six hours of their time,
    /// and are not to be had back.
    #[arg(long, value_name = "DAYS")]
    #[serde(default)]
    pub(crate) retention_days: Option<RetentionDays>,

    /// URL of a NATS server, which makes this a node of a cluster; may be said several times
    ///
    /// The log is then a JetStream stream, the same for all nodes, and `durability` has no meaning: what NATS
    /// has on the disks of most of its servers is durable. Each node has a data directory of its own, and all
    /// of them one secret. `tls://` asks for TLS. A URL may hold a user and a password, or a token; put such
    /// a one into the environment or the config file, since others can see a program's arguments.
    #[arg(long, value_name = "URL")]
    #[serde(default, deserialize_with = "texts")]
    pub(crate) nats: Option<Vec<NatsUrl>>,

    /// File that says who we are to NATS (.creds)
    ///
    /// As `nsc` makes it: a JWT and its key. Left empty, there is none.
    #[arg(long, value_name = "FILE")]
    pub(crate) nats_creds: Option<PathBuf>,

    /// File with the certificates that NATS servers are verified with (PEM)
    ///
    /// Besides those that the system trusts. Left empty, these alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) nats_ca: Option<PathBuf>,

    /// Name of the stream that is the cluster's log
    ///
    /// Made by the first node that starts. Two clusters in one account of NATS need two names.
    #[arg(long, value_name = "NAME")]
    #[serde(default, deserialize_with = "text")]
    pub(crate) nats_stream: Option<StreamName>,

    /// Over how many NATS servers the log is replicated: 1, 3 or 5
    ///
    /// With 3, one may be lost, and with 5 two. With 1, an acknowledged message is as safe as the disk of one
    /// server, and only if that server has `sync_interval: always`.
    #[arg(long, value_name = "COUNT")]
    #[serde(default)]
    pub(crate) nats_replicas: Option<Replicas>,

    /// Bytes after which a stream into an XHR, iframe or htmlfile ends and the client comes back
    ///
    /// Such a page keeps all that it has received in memory until the stream ends. Nothing is lost when
    /// it does.
    #[arg(long, value_name = "BYTES")]
    #[serde(default)]
    pub(crate) stream_bytes_max: Option<StreamBytes>,

    /// Whether JSONP, iframe and htmlfile are served: on or off
    ///
    /// Script and frame elements are for browsers that have nothing better, on our own pages and those of
    /// `allow_origin`. `off` refuses them to everybody.
    #[arg(long, value_name = "SWITCH")]
    #[serde(default, deserialize_with = "text")]
    pub(crate) script_transports: Option<Switch>,

    /// Whether the server looks up what links lead to: on or off
    ///
    /// The chat page shows a title and a few words under a message with a link. The server fetches them when
    /// somebody reads it, from addresses of the public internet alone, so that the site learns nothing of the
    /// readers. `off`, and it fetches nothing.
    #[arg(long, value_name = "SWITCH")]
    #[serde(default, deserialize_with = "text")]
    pub(crate) previews: Option<Switch>,

    /// Network that links may lead to though it is not public; may be said several times
    ///
    /// For an intranet: `10.20.0.0/16`, or one address. Whoever can write a message can then make the server
    /// ask any port of these machines for a page, and sees its title: name those alone whose pages all users
    /// may see.
    #[arg(long, value_name = "NETWORK")]
    #[serde(default, deserialize_with = "texts")]
    pub(crate) preview_allow: Option<Vec<PreviewNetwork>>,

    /// Whether pages on sockjs-client are served, at /sockjs: on or off
    ///
    /// They speak SockJS instead of Wigeon's own transports, and the same commands and frames within.
    /// docs/sockjs.md says how.
    #[arg(long, value_name = "SWITCH")]
    #[serde(default, deserialize_with = "text")]
    pub(crate) sockjs: Option<Switch>,

    /// Bytes after which a SockJS stream ends and the client goes on with another
    ///
    /// As `stream_bytes_max`, and for event sources, too. Nothing is lost when it does.
    #[arg(long, value_name = "BYTES")]
    #[serde(default)]
    pub(crate) sockjs_response_limit: Option<StreamBytes>,

    /// Where hidden SockJS frames load sockjs-client from: a path of this server's site, or a URL
    ///
    /// Only for browsers that need a frame to talk to another site (iframe-eventsource, iframe-htmlfile,
    /// iframe-xhr-polling). It must be the very version that the pages use, and it runs with the rights of
    /// our own pages: name a place that you trust as you do this server. Left empty, there is no frame.
    #[arg(long, value_name = "URL")]
    #[serde(default, deserialize_with = "text")]
    pub(crate) sockjs_client_url: Option<ClientUrl>,

    /// Whether SockJS answers set a JSESSIONID cookie: on or off
    ///
    /// For load balancers that know by it where a client belongs. It has no other meaning.
    #[arg(long, value_name = "SWITCH")]
    #[serde(default, deserialize_with = "text")]
    pub(crate) sockjs_cookie: Option<Switch>,

    /// What is logged: error, warn, info, debug, trace, or finer, like info,wigeon_server=debug
    ///
    /// Logs go to stderr. Nothing private is logged above `debug`, nothing for each message above
    /// `trace`.
    #[arg(long, value_name = "LEVEL")]
    #[serde(default, deserialize_with = "text")]
    pub(crate) log: Option<LogLevel>,

    /// How logs look: text or json
    ///
    /// `json` is one object a line, for a program that collects them.
    #[arg(long, value_name = "FORM")]
    #[serde(default, deserialize_with = "text")]
    pub(crate) log_format: Option<LogFormat>,
}

impl Settings {
    /// What holds where nobody says anything: every field is there.
    pub(crate) fn defaults() -> Self {
        Self {
            listen: Some(vec![ListenAddress(SocketAddr::from(([127, 0, 0, 1], 8088)))]),
            data: Some(PathBuf::from("./wigeon-data")),
            public_url: Some(Vec::new()),
            allow_origin: Some(Vec::new()),
            guests: Some(Guests::default()),
            durability: Some(DurabilitySetting(Durability::default())),
            retention_days: Some(RetentionDays(0)),
            nats: Some(Vec::new()),
            nats_creds: Some(PathBuf::new()),
            nats_ca: Some(PathBuf::new()),
            nats_stream: Some(StreamName("wigeon".to_owned())),
            nats_replicas: Some(Replicas(3)),
            stream_bytes_max: Some(StreamBytes(STREAM_BYTES_MAX)),
            script_transports: Some(Switch::On),
            previews: Some(Switch::On),
            preview_allow: Some(Vec::new()),
            sockjs: Some(Switch::On),
            sockjs_response_limit: Some(StreamBytes(SOCKJS_RESPONSE_BYTES_MAX)),
            sockjs_client_url: Some(ClientUrl(None)),
            sockjs_cookie: Some(Switch::Off),
            log: Some(LogLevel("info".to_owned())),
            log_format: Some(LogFormat::Text),
        }
    }

    /// Lays these settings over others: what both speak of is said by these. Lists are not joined.
    pub(crate) fn over(self, below: Self) -> Self {
        Self {
            listen: self.listen.or(below.listen),
            data: self.data.or(below.data),
            public_url: self.public_url.or(below.public_url),
            allow_origin: self.allow_origin.or(below.allow_origin),
            guests: self.guests.or(below.guests),
            durability: self.durability.or(below.durability),
            retention_days: self.retention_days.or(below.retention_days),
            nats: self.nats.or(below.nats),
            nats_creds: self.nats_creds.or(below.nats_creds),
            nats_ca: self.nats_ca.or(below.nats_ca),
            nats_stream: self.nats_stream.or(below.nats_stream),
            nats_replicas: self.nats_replicas.or(below.nats_replicas),
            stream_bytes_max: self.stream_bytes_max.or(below.stream_bytes_max),
            script_transports: self.script_transports.or(below.script_transports),
            previews: self.previews.or(below.previews),
            preview_allow: self.preview_allow.or(below.preview_allow),
            sockjs: self.sockjs.or(below.sockjs),
            sockjs_response_limit: self.sockjs_response_limit.or(below.sockjs_response_limit),
            sockjs_client_url: self.sockjs_client_url.or(below.sockjs_client_url),
            sockjs_cookie: self.sockjs_cookie.or(below.sockjs_cookie),
            log: self.log.or(below.log),
            log_format: self.log_format.or(below.log_format),
        }
    }

    /// Each key with its value as the config file would write it.
    pub(crate) fn entries(&self) -> Vec<(&'static str, Option<String>)> {
        fn one(value: Option<&impl ToString>) -> Option<String> {
            value.map(|value| format!("{:?}", value.to_string()))
        }
        fn many<T: ToString>(values: Option<&Vec<T>>) -> Option<String> {
            values.map(|values| format!("{:?}", values.iter().map(ToString::to_string).collect::<Vec<_>>()))
        }
        vec![
            ("listen", many(self.listen.as_ref())),
            ("data", one(self.data.as_ref().map(|path| path.display()).as_ref())),
            ("public_url", many(self.public_url.as_ref())),
            ("allow_origin", many(self.allow_origin.as_ref())),
            ("guests", one(self.guests.as_ref())),
            ("durability", one(self.durability.as_ref())),
            ("retention_days", self.retention_days.as_ref().map(ToString::to_string)),
            ("nats", many(self.nats.as_ref())),
            ("nats_creds", one(self.nats_creds.as_ref().map(|path| path.display()).as_ref())),
            ("nats_ca", one(self.nats_ca.as_ref().map(|path| path.display()).as_ref())),
            ("nats_stream", one(self.nats_stream.as_ref())),
            ("nats_replicas", self.nats_replicas.as_ref().map(ToString::to_string)),
            ("stream_bytes_max", self.stream_bytes_max.as_ref().map(ToString::to_string)),
            ("script_transports", one(self.script_transports.as_ref())),
            ("previews", one(self.previews.as_ref())),
            ("preview_allow", many(self.preview_allow.as_ref())),
            ("sockjs", one(self.sockjs.as_ref())),
            ("sockjs_response_limit", self.sockjs_response_limit.as_ref().map(ToString::to_string)),
            ("sockjs_client_url", one(self.sockjs_client_url.as_ref())),
            ("sockjs_cookie", one(self.sockjs_cookie.as_ref())),
            ("log", one(self.log.as_ref())),
            ("log_format", one(self.log_format.as_ref())),
        ]
    }

    /// What the operator may not have had in mind.
    pub(crate) fn notes(&self) -> Vec<String> {
        let listen = self.listen.as_deref().unwrap_or_default();
        let reachable: Vec<String> = listen
            .iter()
            .filter(|address| !address.0.ip().to_canonical().is_loopback())
            .map(ToString::to_string)
            .collect();
        let public = !self.public_url.as_deref().unwrap_or_default().is_empty();
        let mut notes = Vec::new();
        match self.guests.unwrap_or_default() {
            Guests::On if !reachable.is_empty() => notes.push(format!(
                "guests are on: everybody who reaches {} may come in by a name alone",
                reachable.join(", ")
            )),
            Guests::Auto if !reachable.is_empty() => notes.push(format!(
                "guests are off for those who come by {}: auto lets in only who sits at this machine; --guests on lets in everybody",
                reachable.join(", ")
            )),
            Guests::Auto if public => notes.push(
                "guests are off: auto lets nobody in where there is a public URL; --guests on lets in everybody"
                    .to_owned(),
            ),
            _ => {}
        }
        if self.nats.as_ref().is_some_and(|servers| !servers.is_empty()) {
            if self.durability != Some(DurabilitySetting(Durability::Fsync)) {
                notes.push("durability has no meaning in a cluster: NATS makes the log durable".to_owned());
            }
            if self.nats_replicas == Some(Replicas(1)) {
                notes.push(
                    "nats_replicas = 1: what is acknowledged is on the disk of one NATS server, and only if \
                     that has sync_interval: always"
                        .to_owned(),
                );
            }
        } else if self.durability == Some(DurabilitySetting(Durability::Memory)) {
            notes
                .push("durability = \"memory\": a crash may lose messages that were acknowledged".to_owned());
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_speak_of_every_setting_and_read_back_as_themselves() {
        let line = |(key, value): (&str, Option<String>)| format!("{key} = {}\n", value.expect(key));
        let file: String = Settings::defaults().entries().into_iter().map(line).collect();
        assert_eq!(toml::from_str::<Settings>(&file), Ok(Settings::defaults()));
    }

    #[test]
    fn every_flag_is_a_setting_of_the_same_name() {
        let command = <Settings as clap::Args>::augment_args(clap::Command::new("x"));
        let flags: Vec<_> = command.get_arguments().map(|arg| arg.get_id().to_string()).collect();
        let keys: Vec<_> = Settings::default().entries().into_iter().map(|(key, _)| key).collect();
        assert_eq!(flags, keys);
    }

    #[test]
    fn what_lies_above_wins_and_what_it_leaves_out_shines_through() {
        let above: Settings = toml::from_str("guests = 'on'\nlisten = '[::1]:1'").unwrap();
        let below: Settings =
            toml::from_str("guests = 'off'\nlisten = ['127.0.0.1:2', '127.0.0.1:3']\nlog = 'warn'").unwrap();
        let both = above.over(below);
        let wanted: Settings = toml::from_str("guests = 'on'\nlisten = ['[::1]:1']\nlog = 'warn'").unwrap();
        assert_eq!(both, wanted);
        // `over` names every field: nothing of a full layer is lost over or under an empty one.
        assert_eq!(Settings::defaults().over(Settings::default()), Settings::defaults());
        assert_eq!(Settings::default().over(Settings::defaults()), Settings::defaults());
    }

    #[test]
    fn what_an_operator_may_not_have_meant_is_noted() {
        let notes = |file: &str| {
            toml::from_str::<Settings>(file).unwrap().over(Settings::defaults()).notes().join("; ")
        };
        assert_eq!(notes(""), "");
        assert_eq!(notes("guests = 'on'"), "");
        assert!(
            notes("guests = 'on'\nlisten = '0.0.0.0:1'")
                .starts_with("guests are on: everybody who reaches 0.0.0.0:1 ")
        );
        assert!(
            notes("listen = ['127.0.0.1:1', '192.0.2.1:1']")
                .starts_with("guests are off for those who come by 192.0.2.1:1: ")
        );
        assert!(notes("public_url = 'https://chat.example'").contains("guests are off"));
        assert!(notes("durability = 'memory'").contains("a crash may lose messages"));
        let cluster = notes("nats = 'nats://a'\ndurability = 'memory'\nnats_replicas = 1");
        assert!(cluster.contains("no meaning") && cluster.contains("one NATS server"), "{cluster}");
        assert!(!cluster.contains("may lose"), "{cluster}");
    }
}
