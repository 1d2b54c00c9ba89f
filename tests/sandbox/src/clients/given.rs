//! The files of a description that is not that of this workspace.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use upvest_gen::{Source, describe};

use crate::clients::builder::StartError;
use crate::description::Description;
use crate::engine::{Engine, Lifecycles};
use crate::shared::Setup;

/// The files that a user gave.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenDescription {
    pub(super) description: Option<PathBuf>,
    pub(super) overlay: Option<PathBuf>,
    pub(super) lifecycles: Option<PathBuf>,
}

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
enum GivenError {
    #[error("the overlay and the lifecycles need a description")]
    NoDescription,
    #[error("{} cannot be read", .path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("in {}", .path.display())]
    Lifecycles {
        path: PathBuf,
        source: crate::engine::LifecycleError,
    },
}

impl GivenDescription {
    /// The settings with the description and the engine that serves it.
    pub(super) fn read(&self, setup: Setup) -> Result<Setup, StartError> {
        let has_others = self.overlay.is_some() || self.lifecycles.is_some();
        let Some(path) = &self.description else {
            return if has_others {
                Err(unusable(GivenError::NoDescription))
            } else {
                Ok(setup)
            };
        };
        let source = source(path)?;
        let overlay = self.overlay.as_deref().map(self::source).transpose()?;
        let document = describe(&source, overlay.as_ref()).map_err(unusable)?;
        let description = Description::new(document).map_err(unusable)?;
        let description = Arc::new(description);
        let engine = self.engine(&description)?;
        Ok(Setup {
            description,
            engine: Arc::new(engine),
            ..setup
        })
    }

    fn engine(&self, description: &Arc<Description>) -> Result<Engine, StartError> {
        let Some(path) = &self.lifecycles else {
            return Engine::new(Arc::clone(description), Lifecycles::default()).map_err(unusable);
        };
        let lifecycles = Lifecycles::parse(&text(path)?);
        let engine =
            lifecycles.and_then(|lifecycles| Engine::new(Arc::clone(description), lifecycles));
        engine.map_err(|source| {
            unusable(GivenError::Lifecycles {
                path: path.clone(),
                source,
            })
        })
    }
}

fn source(path: &Path) -> Result<Source, StartError> {
    Ok(Source::new(path.display().to_string(), text(path)?))
}

fn text(path: &Path) -> Result<String, StartError> {
    std::fs::read_to_string(path).map_err(|source| {
        unusable(GivenError::File {
            path: path.to_owned(),
            source,
        })
    })
}

fn unusable(error: impl Error + Send + Sync + 'static) -> StartError {
    StartError::Description(Box::new(error))
}
