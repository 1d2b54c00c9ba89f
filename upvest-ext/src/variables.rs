//! Reads the settings of a client from environment variables.

use std::ffi::OsString;
use std::path::PathBuf;

use upvest_runtime::{Error, GeneratedClient};

use crate::builder::UpvestBuilderFor;
use crate::client::UpvestFor;
use crate::environment::Environment;
use crate::problems::{Problems, Setting};
use upvest_signing::{KeyError, SigningKey};

const ENVIRONMENT: &str = "UPVEST_ENVIRONMENT";
const INSECURE_HTTP: &str = "UPVEST_INSECURE_HTTP";
const CLIENT_ID: &str = "UPVEST_CLIENT_ID";
const CLIENT_SECRET: &str = "UPVEST_CLIENT_SECRET";
const SCOPES: &str = "UPVEST_SCOPES";
const KEY_ID: &str = "UPVEST_SIGNING_KEY_ID";
const KEY: &str = "UPVEST_SIGNING_KEY";
const KEY_FILE: &str = "UPVEST_SIGNING_KEY_FILE";
const PASSPHRASE: &str = "UPVEST_SIGNING_KEY_PASSPHRASE";

impl<C: GeneratedClient> UpvestFor<C> {
    /// A client from the variables that [`UpvestBuilder::from_env`](UpvestBuilderFor::from_env) reads.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), with every variable that is missing or wrong.
    pub fn from_env() -> Result<Self, Error> {
        UpvestBuilderFor::from_env().build()
    }

    /// A client from the variables that `lookup` returns.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), with every variable that is missing or wrong.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        UpvestBuilderFor::from_vars(lookup).build()
    }
}

impl<C: GeneratedClient> UpvestBuilderFor<C> {
    /// A builder with the settings of the environment variables:
    ///
    /// | variable | value |
    /// | --- | --- |
    /// | `UPVEST_ENVIRONMENT` | `sandbox`, `live`, or the base URL of another server |
    /// | `UPVEST_INSECURE_HTTP` | `1` allows `http://` to a host that is not this machine, for tests in a container network |
    /// | `UPVEST_CLIENT_ID` | the client id |
    /// | `UPVEST_CLIENT_SECRET` | the client secret |
    /// | `UPVEST_SIGNING_KEY_ID` | the id that Upvest assigned to the signing key; optional if you set a signer yourself |
    /// | `UPVEST_SIGNING_KEY` | the private key as PEM, or |
    /// | `UPVEST_SIGNING_KEY_FILE` | the file with the private key |
    /// | `UPVEST_SIGNING_KEY_PASSPHRASE` | the passphrase of an encrypted key |
    /// | `UPVEST_SCOPES` | the scopes to request, separated by spaces; optional, all scopes by default |
    ///
    /// A key in a variable may have spaces or the two characters `\n` for its line breaks, and quotes around it:
    /// [`SigningKey::from_pem`] lists what is read. [`build`](Self::build) reports what is missing or cannot be read.
    pub fn from_env() -> Self {
        Self::from_lookup(|name| std::env::var_os(name))
    }

    /// As [`from_env`](Self::from_env), with the variables that `lookup` returns.
    ///
    /// ```
    /// use upvest_ext::UpvestBuilder;
    ///
    /// let error = UpvestBuilder::from_vars(|_| None).build().unwrap_err();
    /// assert!(error.to_string().contains("UPVEST_CLIENT_ID"));
    /// assert!(error.to_string().contains("UPVEST_CLIENT_SECRET"));
    /// ```
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self::from_lookup(|name| lookup(name).map(OsString::from))
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let mut variables = Variables {
            lookup,
            problems: Problems::default(),
        };
        let mut builder = Self::new(variables.environment());
        let client_id = variables.required(CLIENT_ID).unwrap_or_default();
        let client_secret = variables.required(CLIENT_SECRET).unwrap_or_default();
        builder = builder.credentials(client_id, client_secret);
        if let Some(scopes) = variables.optional(SCOPES) {
            builder = builder.scopes([scopes]);
        }
        if variables.has_signing_key()
            && let Some((key_id, key)) = variables.signing_key()
        {
            builder = builder.signing_key(key_id, key);
        }
        builder.add_problems(variables.problems);
        builder
    }
}

/// The variables, and the problems that were found with them.
struct Variables<L> {
    lookup: L,
    problems: Problems,
}

impl<L: Fn(&str) -> Option<OsString>> Variables<L> {
    fn add_problem(&mut self, name: &str, problem: String) {
        let setting = match name {
            ENVIRONMENT => Setting::Environment,
            CLIENT_ID | CLIENT_SECRET => Setting::Credentials,
            SCOPES => Setting::Scopes,
            _ => Setting::SigningKey,
        };
        self.problems.add(setting, problem);
    }

    /// The value of a variable, unless it is blank.
    fn value(&self, name: &str) -> Option<OsString> {
        (self.lookup)(name).filter(|value| !value.to_string_lossy().trim().is_empty())
    }

    fn optional(&mut self, name: &str) -> Option<String> {
        let text = self.value(name)?.into_string();
        if text.is_err() {
            self.add_problem(name, format!("{name} is not valid Unicode"));
        }
        text.ok()
    }

    fn required(&mut self, name: &str) -> Option<String> {
        if self.value(name).is_none() {
            let problem = match (self.lookup)(name) {
                Some(_) => "is empty",
                None => "is not set",
            };
            self.add_problem(name, format!("{name} {problem}"));
        }
        self.optional(name)
    }

    fn environment(&mut self) -> Option<Environment> {
        let allows_http = self.flag(INSECURE_HTTP);
        let environment = self.required(ENVIRONMENT)?.trim().parse::<Environment>();
        match environment {
            Ok(Environment::Custom(url)) if allows_http => Some(Environment::Insecure(url)),
            Ok(environment) => Some(environment),
            Err(error) => {
                self.add_problem(ENVIRONMENT, format!("{ENVIRONMENT}: {error}"));
                None
            }
        }
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.optional(name).as_deref().map(str::trim) {
            None | Some("0") => false,
            Some("1") => true,
            Some(_) => {
                self.add_problem(name, format!("{name} is neither 1 nor 0"));
                false
            }
        }
    }

    /// A signer can be set instead of a key.
    fn has_signing_key(&self) -> bool {
        let names = [KEY_ID, KEY, KEY_FILE];
        names.into_iter().any(|name| self.value(name).is_some())
    }

    /// The id and the signing key, if both can be read.
    fn signing_key(&mut self) -> Option<(String, SigningKey)> {
        let id = self.required(KEY_ID);
        let pem = self.pem();
        let has_passphrase = self.value(PASSPHRASE).is_some();
        let passphrase = self.optional(PASSPHRASE);
        let (source, pem) = pem?;
        if has_passphrase && passphrase.is_none() {
            return None;
        }
        let key = SigningKey::from_pem(pem, passphrase.as_deref());
        if let Err(error) = &key {
            self.add_problem(KEY, key_problem(&source, error));
        }
        Some((id?, key.ok()?))
    }

    /// The variable or the file with the key, and its content, which need not be Unicode outside of the PEM block.
    fn pem(&mut self) -> Option<(String, Vec<u8>)> {
        if let Some(pem) = self.value(KEY) {
            return Some((KEY.to_owned(), pem.into_encoded_bytes()));
        }
        let Some(path) = self.value(KEY_FILE) else {
            let problem = format!("neither {KEY} nor {KEY_FILE} is set");
            self.add_problem(KEY, problem);
            return None;
        };
        let path = PathBuf::from(path);
        let source = format!("{KEY_FILE}: {}", path.display());
        match std::fs::read(&path) {
            Ok(pem) => Some((source, pem)),
            Err(error) => {
                self.add_problem(KEY_FILE, format!("{source}: {error}"));
                None
            }
        }
    }
}

fn key_problem(source: &str, error: &KeyError) -> String {
    match error {
        KeyError::PassphraseMissing => format!("{source}: {error} in {PASSPHRASE}"),
        error => format!("{source}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::UpvestBuilder;

    #[cfg(unix)]
    fn not_unicode() -> OsString {
        std::os::unix::ffi::OsStringExt::from_vec(b"caf\xe9".to_vec())
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_unicode_is_called_so_and_not_missing() {
        let all = [
            ENVIRONMENT,
            CLIENT_ID,
            CLIENT_SECRET,
            SCOPES,
            KEY_ID,
            PASSPHRASE,
        ];
        let key = |name: &str| (name == KEY).then(|| OsString::from("key"));
        let message = UpvestBuilder::from_lookup(|name| {
            key(name).or_else(|| all.contains(&name).then(not_unicode))
        })
        .build()
        .unwrap_err()
        .to_string();
        for name in all {
            assert!(
                message.contains(&format!("{name} is not valid Unicode")),
                "{message}"
            );
        }
        assert!(!message.contains("not set"), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_and_the_path_of_its_file_need_not_be_unicode() {
        use std::os::unix::ffi::OsStringExt as _;
        let pem = include_bytes!("../tests/fixtures/keys/cases/k12-pkcs12-nodes.pem");
        let folder = std::env::temp_dir().join(format!("upvest-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(not_unicode());
        std::fs::write(&file, pem).unwrap();
        for (source, value) in [
            (KEY, OsString::from_vec(pem.to_vec())),
            (KEY_FILE, file.into_os_string()),
        ] {
            let builder = UpvestBuilder::from_lookup(|name| match name {
                ENVIRONMENT => Some("live".into()),
                CLIENT_ID | CLIENT_SECRET => Some("text".into()),
                KEY_ID => Some("2606a727-e55e-4f72-b47d-323f163acfff".into()),
                name => (name == source).then(|| value.clone()),
            });
            builder.build().unwrap();
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
