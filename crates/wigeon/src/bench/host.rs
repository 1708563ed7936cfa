//! What is measured: a server of our own or the nodes of a cluster, started for this run, or a server that is
//! already somewhere.

use std::fs;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use wigeon_proto::id::UserId;
use wigeon_server::auth::{Role, Secret, Tokens};

use super::arguments::{self, Where};
use super::nats::Nats;
use super::own::{Own, Recipe, SECRET_VARIABLE};
use super::process;

/// How long the tokens of a run are good, in seconds: longer than any run.
const TOKEN_S: u64 = 6 * 3600;
/// The environment's name for a token.
const TOKEN_VARIABLE: &str = "WIGEON_BENCH_TOKEN";

#[derive(Debug)]
pub(super) struct Host {
    /// Where it is; of a cluster each node.
    doors: Vec<Door>,
    /// Whose CPU time and memory are measured.
    pids: Vec<u32>,
    credentials: Credentials,
    recipe: Option<Recipe>,
    own: Vec<Own>,
    /// After the nodes, so that they do not see it end.
    nats: Option<Nats>,
}

/// Where a server is.
#[derive(Debug, Clone)]
pub(super) struct Door {
    /// `http://host:port`
    pub(super) base: String,
    /// `host:port`, for the `Host` header.
    pub(super) authority: String,
    pub(super) address: SocketAddr,
}

impl Door {
    pub(super) fn at(address: SocketAddr) -> Self {
        Self { base: format!("http://{address}"), authority: address.to_string(), address }
    }
}

enum Credentials {
    Sign(Box<Tokens>),
    Token(String),
}

impl Credentials {
    /// What opens a server that is already somewhere: a flag is stronger than the environment.
    fn find(place: &Where) -> Result<Self> {
        if let Some(token) = &place.token {
            return Ok(Self::Token(token.clone()));
        }
        if let Some(file) = &place.secret_file {
            let text = fs::read_to_string(file)
                .with_context(|| format!("cannot read the secret {}", file.display()))?;
            return sign_with(&text, &file.display().to_string());
        }
        if let Ok(token) = std::env::var(TOKEN_VARIABLE) {
            return Ok(Self::Token(token));
        }
        match std::env::var(SECRET_VARIABLE) {
            Ok(text) => sign_with(&text, SECRET_VARIABLE),
            Err(_) => bail!(
                "the server wants to know who asks\n  hint: --secret-file with the file `secret` of its data directory, or --token with what `wigeon token --user bench --role service` prints there"
            ),
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sign(_) => "Sign",
            Self::Token(_) => "Token",
        })
    }
}

impl Host {
    /// Starts a server, or finds the one that was named.
    pub(super) fn new(place: &Where) -> Result<Self> {
        if let Some(url) = &place.url {
            return Self::named(url, place);
        }
        let before = place.server_cpus.as_deref().map(process::run_on).transpose()?;
        let started = Self::alone(&place.own);
        if let Some(before) = before {
            process::run_on(&before)?;
        }
        started
    }

    /// Starts a server with a log of its own.
    pub(super) fn alone(asked: &arguments::Own) -> Result<Self> {
        Self::started(Recipe::alone(asked), 1, None)
    }

    /// Starts a cluster, whose log is in these servers of NATS.
    pub(super) fn cluster(asked: &arguments::Own, nodes: usize, nats: Nats) -> Result<Self> {
        Self::started(Recipe::node(asked, &nats), nodes, Some(nats))
    }

    fn started(recipe: Recipe, servers: usize, nats: Option<Nats>) -> Result<Self> {
        let own: Vec<_> = (0..servers).map(|_| recipe.start()).collect::<Result<_>>()?;
        Ok(Self {
            doors: own.iter().map(|own| own.door.clone()).collect(),
            pids: own.iter().map(Own::pid).collect(),
            credentials: sign_with(&recipe.secret, "this run")?,
            recipe: Some(recipe),
            own,
            nats,
        })
    }

    /// Starts a further node.
    pub(super) fn another(&self) -> Result<Own> {
        self.recipe.as_ref().context("it is not our own")?.start()
    }

    /// The only one, or the first of several.
    pub(super) fn door(&self) -> &Door {
        &self.doors[0]
    }

    /// All of them.
    pub(super) fn doors(&self) -> &[Door] {
        &self.doors
    }

    /// CPU time of its servers; `None` where it is not known.
    pub(super) fn cpu(&self) -> Option<Duration> {
        cpu(&self.pids)
    }

    /// CPU time of its servers of NATS, where there are any.
    pub(super) fn nats_cpu(&self) -> Option<Duration> {
        self.nats.as_ref().and_then(|nats| cpu(&nats.pids()))
    }

    /// Their resident memory.
    pub(super) fn rss_kib(&self) -> Option<u64> {
        let known: Vec<_> = self.pids.iter().filter_map(|pid| process::rss_kib(*pid)).collect();
        (!known.is_empty()).then(|| known.iter().sum())
    }

    /// A token for a service of this name: services may send as fast as they can.
    pub(super) fn token(&self, name: &str) -> Result<String> {
        self.token_of(name, Role::Service)
    }

    /// A token for a user, where we can make one; else the service's, which may act for them, and sees more.
    pub(super) fn user_token(&self, user: &str) -> Result<String> {
        self.token_of(user, Role::User)
    }

    fn token_of(&self, name: &str, role: Role) -> Result<String> {
        match &self.credentials {
            Credentials::Token(token) => Ok(token.clone()),
            Credentials::Sign(tokens) => {
                let now =
                    SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
                let user = UserId::parse(name)?;
                Ok(tokens.issue(&user, None, role, TOKEN_S, now.as_millis() as u64))
            }
        }
    }

    pub(super) fn is_own(&self) -> bool {
        !self.own.is_empty()
    }

    /// Bytes on the disk that our own server's data takes.
    pub(super) fn disk_bytes(&self) -> Option<u64> {
        let bytes = |own: &Own| process::disk_bytes(own.directory()).ok();
        self.is_own().then(|| self.own.iter().map(bytes).sum()).flatten()
    }

    fn named(url: &str, place: &Where) -> Result<Self> {
        let base = url.trim_end_matches('/');
        let authority = base.strip_prefix("http://").with_context(|| {
            format!("{url} is not http://host:port; without TLS, so name the server's own port and not the proxy's")
        })?;
        let with_port =
            if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
        let address = with_port.to_socket_addrs().with_context(|| format!("cannot find {authority}"))?.next();
        let address = address.with_context(|| format!("{authority} has no address"))?;
        let credentials = Credentials::find(place)?;
        if let Some(pid) = place.pid.filter(|pid| process::cpu(*pid).is_none()) {
            bail!("no process {pid} on this machine, or no /proc to see it in");
        }
        let door = Door { base: base.to_owned(), authority: authority.to_owned(), address };
        Ok(Self {
            doors: vec![door],
            pids: place.pid.into_iter().collect(),
            credentials,
            recipe: None,
            own: Vec::new(),
            nats: None,
        })
    }
}

fn cpu(pids: &[u32]) -> Option<Duration> {
    let known: Vec<_> = pids.iter().filter_map(|pid| process::cpu(*pid)).collect();
    (!known.is_empty()).then(|| known.iter().sum())
}

fn sign_with(secret: &str, from: &str) -> Result<Credentials> {
    Ok(Credentials::Sign(Box::new(Tokens::new(&Secret::from_text(secret, from)?))))
}
