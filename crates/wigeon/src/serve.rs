//! `wigeon serve`: makes ready what the server needs, says where it is, and ends it when told to.

use std::fs::DirBuilder;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use wigeon_server::auth::{Guests, Secret};
use wigeon_server::sockjs::SockJs;
use wigeon_server::{Options, Server, StartError};
use wigeon_store::cluster::JoinError;
use wigeon_store::{Nats, OpenError};

use crate::config::Loaded;
use crate::settings::{Settings, Switch};
use crate::speak;

/// Nodes that make secrets of their own would refuse each other's tokens and tickets.
const ONE_SECRET: &str = "all nodes of a cluster share one secret: set WIGEON_AUTH_SECRET, \
    or copy the file `secret` of one node to the others";

const OTHER_DIRECTORY: &str = "choose one that you may write, with --data";

/// Serves until a signal; returns when everybody has been told and everything is on the disk.
pub(crate) fn run(loaded: Loaded) -> Result<()> {
    let Loaded { settings, secret, file, sockjs_test_services, .. } = loaded;
    let Settings {
        listen: Some(listen),
        data: Some(data),
        public_url: Some(public_url),
        allow_origin: Some(allow_origin),
        guests: Some(guests),
        durability: Some(durability),
        retention_days: Some(retention_days),
        stream_bytes_max: Some(stream_bytes_max),
        script_transports: Some(script_transports),
        previews: Some(previews),
        preview_allow: Some(preview_allow),
        sockjs: Some(sockjs),
        sockjs_response_limit: Some(sockjs_response_limit),
        sockjs_client_url: Some(sockjs_client_url),
        sockjs_cookie: Some(sockjs_cookie),
        log: Some(level),
        log_format: Some(format),
        ..
    } = settings.clone()
    else {
        unreachable!("the defaults lie under all settings");
    };
    crate::log::start(&level, format);
    let nats = nats(&settings);

    make_directory(&data)?;
    let (secret, where_from) = if let Some(secret) = secret {
        (secret, "from WIGEON_AUTH_SECRET".to_owned())
    } else if nats.is_some() {
        let path = Secret::path(&data);
        let secret = Secret::read(&data)
            .map_err(|error| anyhow!("{}\n  hint: {ONE_SECRET}", speak::sentence(&error.into())))?;
        (secret, format!("from {}", path.display()))
    } else {
        let (secret, made) = Secret::read_or_make(&data)?;
        let path = Secret::path(&data);
        (secret, format!("{} {}", if made { "made at" } else { "from" }, path.display()))
    };
    let log = match &nats {
        None => format!("durability {durability}"),
        Some(nats) => {
            let servers: Vec<_> = settings.nats.iter().flatten().map(ToString::to_string).collect();
            format!("log in NATS, stream {} of {}", nats.stream, servers.join(", "))
        }
    };
    let public_urls: Vec<String> = public_url.into_iter().map(|url| url.0).collect();
    let options = Options {
        listen: listen.into_iter().map(|address| address.0).collect(),
        data: data.clone(),
        public_urls: public_urls.clone(),
        allow_origins: allow_origin.into_iter().map(|origin| origin.0).collect(),
        guests,
        durability: durability.0,
        nats,
        secret,
        retention_days: retention_days.0,
        stream_bytes_max: stream_bytes_max.0,
        script_transports: script_transports == Switch::On,
        previews: previews == Switch::On,
        preview_allow: preview_allow.into_iter().map(|network| network.0).collect(),
        sockjs: SockJs {
            enabled: sockjs == Switch::On,
            response_limit: sockjs_response_limit.0,
            cookie: sockjs_cookie == Switch::On,
            client_url: sockjs_client_url.0,
            test_services: sockjs_test_services,
        },
    };

    let runtime = Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let stop = stop()?;
        let server = start(options).await?;
        let mut lines = Vec::new();
        let mut line = |what: &str, text: String| lines.push(format!("  {what:<9} {text}\n"));
        line("open", addresses(&server.addresses, &public_urls));
        line("data", format!("{} ({log})", data.display()));
        line("guests", guests_here(guests.with_public_urls(&public_urls)).to_owned());
        line("secret", where_from);
        if let Some(file) = file {
            line("config", file.display().to_string());
        }
        for note in settings.notes() {
            line("note", note);
        }
        let version = env!("CARGO_PKG_VERSION");
        speak::say(&format!("Wigeon {version} is ready. Ctrl-C stops it.\n{}", lines.concat()));
        server.run_until(stop).await.context("the server ended")
    })
}

/// Where the settings say that NATS is, if they do.
pub(crate) fn nats(settings: &Settings) -> Option<Nats> {
    let named = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
    let servers: Vec<String> = settings.nats.iter().flatten().map(|url| url.0.clone()).collect();
    (!servers.is_empty()).then(|| Nats {
        servers,
        credentials: named(&settings.nats_creds),
        ca: named(&settings.nats_ca),
        stream: settings.nats_stream.clone().expect("the defaults name one").0,
        replicas: settings.nats_replicas.expect("the defaults say how many").0,
    })
}

/// Binds, and says what to do where that fails.
async fn start(options: Options) -> Result<Server> {
    wigeon_server::start(options).await.map_err(|error| match start_hint(&error) {
        Some(hint) => anyhow!("{}\n  hint: {hint}", speak::sentence(&error.into())),
        None => error.into(),
    })
}

fn start_hint(error: &StartError) -> Option<String> {
    match error {
        StartError::Bind { address, source } => bind_hint(source.kind(), *address),
        StartError::Open(OpenError::Locked { .. })
        | StartError::Join(JoinError::Open(OpenError::Locked { .. })) => {
            Some("stop the other one, or choose another directory with --data".to_owned())
        }
        StartError::Open(OpenError::Directory { .. }) => Some(OTHER_DIRECTORY.to_owned()),
        StartError::Open(_) | StartError::Join(_) | StartError::Origin(_) => None,
    }
}

fn bind_hint(kind: io::ErrorKind, address: SocketAddr) -> Option<String> {
    match kind {
        io::ErrorKind::AddrInUse => {
            let next = SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(8088));
            Some(format!(
                "another program, perhaps another wigeon, has port {}; stop it, or choose another: --listen {next}",
                address.port()
            ))
        }
        io::ErrorKind::AddrNotAvailable => {
            Some("this machine does not have that address; 0.0.0.0 stands for all it has".to_owned())
        }
        io::ErrorKind::PermissionDenied if address.port() < 1024 => {
            Some("ports below 1024 need a privilege; use a proxy in front, or AmbientCapabilities=CAP_NET_BIND_SERVICE in systemd".to_owned())
        }
        _ => None,
    }
}

/// Makes the data directory for its owner alone. One that exists keeps its mode.
fn make_directory(data: &Path) -> Result<()> {
    let writable = DirBuilder::new().recursive(true).mode(0o700).create(data);
    writable
        .with_context(|| format!("cannot make the data directory {}", data.display()))
        .map_err(|error| anyhow!("{}\n  hint: {OTHER_DIRECTORY}", speak::sentence(&error)))
}

/// What to open in a browser: the public URLs, else an address that works on this machine.
fn addresses(bound: &[SocketAddr], public_urls: &[String]) -> String {
    if !public_urls.is_empty() {
        let bound: Vec<_> = bound.iter().map(ToString::to_string).collect();
        return format!("{} (listening on {})", public_urls.join("  "), bound.join(", "));
    }
    let url = |address: &SocketAddr| {
        if address.ip().is_unspecified() {
            format!("http://localhost:{} (and every address of this machine)", address.port())
        } else {
            format!("http://{address}")
        }
    };
    bound.iter().map(url).collect::<Vec<_>>().join("  ")
}

fn guests_here(guests: Guests) -> &'static str {
    match guests {
        Guests::On => "on: everybody may come in by a name",
        Guests::Off => "off: everybody needs a token",
        Guests::Auto => "on for this machine, off for others",
    }
}

/// Ready at the first SIGINT or SIGTERM. A second one ends the program at once, with the code a shell
/// would give it: nothing acknowledged is lost by that.
fn stop() -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let (told, stop) = oneshot::channel();
    tokio::spawn(async move {
        let _ = either(&mut interrupt, &mut terminate).await;
        let _ = told.send(());
        let code = either(&mut interrupt, &mut terminate).await;
        std::process::exit(code);
    });
    Ok(async {
        let _ = stop.await;
    })
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) -> i32 {
    tokio::select! {
        _ = interrupt.recv() => 128 + 2,
        _ = terminate.recv() => 128 + 15,
    }
}
