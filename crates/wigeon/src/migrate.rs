//! `wigeon migrate`: from one machine to a cluster, and back.

use anyhow::{Context, Result, anyhow};
use tokio::runtime::Runtime;
use wigeon_store::OpenError;
use wigeon_store::cluster::JoinError;
use wigeon_store::cluster::migrate::{Moved, from_stream, to_stream};

use crate::cli::MigrateArguments;
use crate::config::{ConfigError, Loaded};
use crate::serve::nats;
use crate::speak::sentence;

/// Moves, and says where to.
pub(crate) fn run(arguments: &MigrateArguments, loaded: &Loaded) -> Result<String> {
    let settings = &loaded.settings;
    let data = settings.data.as_ref().expect("the defaults name a directory");
    let nats = nats(settings).ok_or(ConfigError::NoNats)?;
    let runtime = Runtime::new().context("cannot start the runtime")?;
    let moved = runtime.block_on(async {
        if arguments.to_nats {
            to_stream(data, &nats, random()).await.map_err(told)
        } else {
            from_stream(data, &nats).await.map_err(told)
        }
    });
    let Moved { position, stream } = moved?;
    let data = data.display();
    Ok(if arguments.to_nats {
        format!(
            "the log goes on in the NATS stream {stream}, after position {position}\n\
             {data} is the first node's: start it with --nats; the others start from copies of it (wigeon backup)\n"
        )
    } else {
        format!(
            "the log goes on in {data}, after position {position}: start it without --nats\n\
             the NATS stream {stream} takes nothing more, and can be deleted\n"
        )
    })
}

fn random() -> u64 {
    let mut random = [0; 8];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    u64::from_le_bytes(random)
}

fn told(error: JoinError) -> anyhow::Error {
    if let JoinError::Open(OpenError::Locked { .. }) = error {
        return anyhow!("{}\n  hint: stop it first", sentence(&error.into()));
    }
    error.into()
}
