//! `cargo xtask export` writes a crate of generated code, which depends on the runtime of this workspace or of a
//! repository.

mod command;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use command::{Folder, ORDERS, workspace};

/// A caller that uses the operations, the types, and each feature that a crate forwards to the runtime.
const CALLER: &str = r#"
use orders_api::runtime::{GeneratedClient, Operation};
use orders_api::types::*;
use orders_api::{Client, Error, MockTransport, builder};

pub async fn list<C: GeneratedClient>() -> Result<(), Error> {
    assert_eq!(C::OPERATIONS.len(), 2);
    assert_eq!(builder::ListOrders::META.name, "list_orders");
    let client = Client::new("http://mock.invalid", MockTransport::new());
    client.create_order().body(Order::builder().side(OrderSide::Buy)).send().await?;
    Ok(())
}

#[cfg(feature = "schemas")]
pub fn schemas() {
    fn has_schemas<T: schemars::JsonSchema + utoipa::ToSchema>() {}
    has_schemas::<OrderId>();
    has_schemas::<OrderSide>();
}

#[cfg(feature = "columns")]
pub fn columns() {
    fn has_column<T: sqlx::Type<sqlx::Postgres> + sqlx::Type<sqlx::Sqlite>>() {}
    has_column::<OrderId>();
    has_column::<OrderSide>();
}

#[cfg(feature = "builders")]
pub fn received() {
    let _ = orders_api::types::Receipt::builder();
}
"#;

/// A crate for another description compiles under another name, with the features that it forwards to the runtime and
/// without.
#[test]
fn an_exported_crate_compiles_with_another_name_and_any_features() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = target.join("exported");
    let _ = fs::remove_dir_all(&folder);
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("it can be made");
        fs::write(path, text).expect("the file can be written");
    };
    write("api.yaml", &with_receipt());
    write("src/lib.rs", CALLER);
    write(
        "Cargo.toml",
        r#"[package]
name = "caller"
version = "0.1.0"
edition = "2024"

[workspace]

[features]
schemas = ["orders-api/schemars", "orders-api/utoipa", "dep:schemars", "dep:utoipa"]
columns = ["orders-api/sqlx-postgres", "orders-api/sqlx-sqlite", "dep:sqlx"]
builders = ["orders-api/test-util"]

[dependencies]
orders-api = { path = "orders-api", default-features = false }
schemars = { version = "1", default-features = false, features = ["std"], optional = true }
sqlx = { version = "0.9", default-features = false, features = ["postgres", "sqlite"], optional = true }
utoipa = { version = "6", default-features = false, features = ["macros"], optional = true }
"#,
    );
    // With the versions of this workspace, the dependencies are already there.
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).expect("there is one");
    let export = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args("export --spec api.yaml --name orders-api --out orders-api".split(' '))
        .current_dir(&folder)
        .output()
        .expect("xtask starts");
    assert!(export.status.success(), "{export:?}");

    let check = |features: &str| {
        let output = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--offline", "--features", features])
            .arg("--target-dir")
            .arg(target.join(".."))
            .current_dir(&folder)
            .output()
            .expect("cargo starts");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        // Without a warning, too.
        assert!(
            output.status.success() && text.is_empty(),
            "with the features `{features}`: {text}"
        );
    };
    check("");
    check("schemas,columns,builders");
}

/// [`ORDERS`] with an object that is only received.
fn with_receipt() -> String {
    let receipt = "    Receipt: { type: object, properties: { number: { type: string } } }\n";
    let response =
        "application/json: { schema: { $ref: \"#/components/schemas/Order\" } } } }\ncomponents";
    assert!(ORDERS.contains(response));
    ORDERS.replace(
        response,
        &response.replace("schemas/Order", "schemas/Receipt"),
    ) + receipt
}

#[test]
fn an_exported_crate_has_plain_versions_and_generated_files_only() {
    let folder = Folder::new();
    folder.write("api.yaml", ORDERS);
    let text = folder
        .xtask(&["export", "--spec", "api.yaml", "--out", "my/upvest-api"])
        .succeeded();
    assert!(text.contains("2 operations, 3 types, "), "{text}");
    let manifest = folder.read("my/upvest-api/Cargo.toml");
    assert!(
        manifest.contains("name = \"upvest-api\"") && !manifest.contains("workspace"),
        "{manifest}"
    );
    let manifest: toml::Table = manifest.parse().expect("this is TOML");
    let ours = fs::read_to_string(workspace().join("upvest-api/Cargo.toml")).expect("there is one");
    let ours: toml::Table = ours.parse().expect("this is TOML");
    assert!(manifest.get("dev-dependencies").is_none(), "{manifest}");
    for section in ["dependencies", "features"] {
        let keys = |manifest: &toml::Table| -> BTreeSet<String> {
            manifest[section]
                .as_table()
                .expect("a table")
                .keys()
                .cloned()
                .collect()
        };
        assert_eq!(keys(&manifest), keys(&ours), "{section}");
    }
    let serde = &manifest["dependencies"]["serde"];
    assert!(serde["version"].is_str(), "{serde}");
    let runtime = manifest["dependencies"]["upvest-runtime"]["path"].as_str();
    let runtime = folder.path("my/upvest-api").join(runtime.expect("a path"));
    assert_eq!(
        fs::canonicalize(runtime).expect("it is there"),
        fs::canonicalize(workspace().join("upvest-api/runtime")).expect("it is there")
    );
    for file in [
        "src/lib.rs",
        "src/generated/types.rs",
        "src/generated/facts.json",
        "README.md",
    ] {
        assert!(
            folder
                .read(&format!("my/upvest-api/{file}"))
                .contains("@generated by `cargo xtask"),
            "{file}"
        );
    }
    assert!(!folder.path("my/upvest-api/src/runtime").exists());
    let readme = folder.read("my/upvest-api/README.md");
    assert!(
        readme.contains("cargo xtask export --spec api.yaml --out my/upvest-api"),
        "{readme}"
    );
    assert!(
        readme.contains("pub type OurUpvest = UpvestFor<upvest_api::Client>;"),
        "{readme}"
    );
    let (_, dependencies) = readme.split_once("```toml\n").expect("it has a manifest");
    let (dependencies, _) = dependencies.split_once("```").expect("the manifest ends");
    let dependencies: toml::Table = dependencies.parse().expect("it is TOML");
    for name in ["upvest-ext", "upvest-api"] {
        let path = dependencies["dependencies"][name]["path"].as_str();
        let crate_folder = folder.path("my").join(path.expect("it has a path"));
        assert!(
            crate_folder.join("Cargo.toml").is_file(),
            "{name}: {readme}"
        );
    }
}

/// The manifest that the README of an exported crate shows.
fn manifest_in(readme: &str) -> toml::Table {
    let (_, block) = readme.split_once("```toml\n").expect("it has a block");
    let (block, _) = block.split_once("```").expect("the block ends");
    block.parse().expect("this is TOML")
}

#[test]
fn the_readme_of_a_crate_has_dependencies_that_can_be_pasted() {
    let folder = Folder::new();
    folder.write("api.yaml", ORDERS);
    let runtime = workspace().join("upvest-api/runtime");
    let runtime = runtime.to_str().expect("it is a text");
    for more in [&[][..], &["--runtime", runtime]] {
        let flags = ["export", "--spec", "api.yaml", "--out", "my/orders-api"];
        folder.xtask(&[&flags, more].concat()).succeeded();
        let manifest = manifest_in(&folder.read("my/orders-api/README.md"));
        let path = |section: &str, name: &str| {
            let path = manifest[section][name]["path"].as_str().expect("a path");
            fs::canonicalize(folder.path("my").join(path)).expect("it is there")
        };
        let sdk = fs::canonicalize(workspace().join("upvest-ext")).expect("it is there");
        let exported = fs::canonicalize(folder.path("my/orders-api")).expect("it is there");
        assert_eq!(path("dependencies", "upvest-ext"), sdk);
        assert_eq!(path("dependencies", "orders-api"), exported);
        assert_eq!(path("dev-dependencies", "orders-api"), exported);
        let features = &manifest["dev-dependencies"]["orders-api"]["features"];
        assert_eq!(features[0].as_str(), Some("test-util"));
    }
}

#[test]
fn the_runtime_comes_from_a_repository_if_one_is_given() {
    let folder = Folder::new();
    folder.write("api.yaml", ORDERS);
    let export = |runtime: &str| {
        folder.xtask(&[
            "export",
            "--spec",
            "api.yaml",
            "--out",
            "out",
            "--name",
            "orders-api",
            "--runtime",
            runtime,
        ])
    };
    export("https://the.repository/sdk#0f1e2d").succeeded();
    let manifest: toml::Table = folder.read("out/Cargo.toml").parse().expect("this is TOML");
    assert_eq!(manifest["package"]["name"].as_str(), Some("orders-api"));
    let runtime = &manifest["dependencies"]["upvest-runtime"];
    assert_eq!(runtime["git"].as_str(), Some("https://the.repository/sdk"));
    assert_eq!(runtime["rev"].as_str(), Some("0f1e2d"));
    assert!(runtime.get("path").is_none(), "{runtime}");
    let readme = folder.read("out/README.md");
    let layer = r#"upvest-ext = { git = "https://the.repository/sdk", rev = "0f1e2d" }"#;
    assert!(readme.contains(layer), "{readme}");
    let flags = "--name orders-api --runtime https://the.repository/sdk#0f1e2d";
    assert!(readme.contains(flags), "{readme}");
    let sdk = &manifest_in(&readme)["dependencies"]["upvest-ext"];
    assert_eq!(sdk["git"].as_str(), Some("https://the.repository/sdk"));
    assert_eq!(sdk["rev"].as_str(), Some("0f1e2d"));

    let run = export("https://the.repository/sdk");
    assert!(
        run.stderr().contains("needs a revision"),
        "{}",
        run.stderr()
    );
    let message = export("nowhere").failed();
    assert!(
        message.contains("nowhere is not the folder of a crate"),
        "{message}"
    );
}

#[test]
fn the_same_description_exports_the_same_crate_and_writes_nothing_anew() {
    let folder = Folder::new();
    folder.write("api.yaml", ORDERS);
    let flags = ["export", "--spec", "api.yaml", "--out", "out"];
    folder.xtask(&flags).succeeded();
    let modified = |name: &str| {
        folder
            .path(name)
            .metadata()
            .expect("it is there")
            .modified()
            .expect("it has a time")
    };
    let files = [
        "out/Cargo.toml",
        "out/README.md",
        "out/src/lib.rs",
        "out/src/generated/types.rs",
    ];
    let before = files.map(modified);
    folder.xtask(&flags).succeeded();
    assert_eq!(files.map(modified), before);
}

#[test]
fn a_crate_has_the_name_of_its_folder_unless_one_is_given() {
    let folder = Folder::new();
    folder.write("api.yaml", ORDERS);
    let export = |out: &str, more: &[&str]| {
        let flags = ["export", "--spec", "api.yaml", "--out", out];
        folder.xtask(&[&flags, more].concat())
    };
    export("my/orders-api", &[]).succeeded();
    assert!(
        folder
            .read("my/orders-api/Cargo.toml")
            .contains("name = \"orders-api\"")
    );
    let message = export("my/1.9.0", &[]).failed();
    assert!(message.contains("give one by `--name`"), "{message}");
    export("my/1.9.0", &["--name", "orders-api"]).succeeded();
    assert!(
        folder
            .read("my/1.9.0/Cargo.toml")
            .contains("name = \"orders-api\"")
    );
}
