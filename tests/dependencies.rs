//! The rules of `deny.toml` about licences, bans and sources, over `cargo metadata`; a key of that
//! file which is not known here is an error. NOT advisories, which change without a change of ours:
//! the hosted workflow runs cargo-deny itself, and what that workflow names is checked here.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    graph: GraphRules,
    /// Of cargo-deny alone.
    #[serde(rename = "advisories")]
    _advisories: AdvisoryRules,
    licenses: LicenseRules,
    bans: BanRules,
    sources: SourceRules,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct GraphRules {
    all_features: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvisoryRules {
    #[serde(rename = "unmaintained")]
    _unmaintained: String,
    #[serde(rename = "ignore")]
    _ignore: Vec<IgnoredAdvisory>,
}

/// Each with its reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IgnoredAdvisory {
    #[serde(rename = "id")]
    _id: String,
    #[serde(rename = "reason")]
    _reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LicenseRules {
    allow: Vec<String>,
    private: PrivateRules,
}

/// Packages of our own that are not published.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrivateRules {
    ignore: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BanRules {
    deny: Vec<Ban>,
    wildcards: String,
    allow_wildcard_paths: bool,
    /// Only warned about, by cargo-deny.
    #[serde(rename = "multiple-versions")]
    _multiple_versions: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SourceRules {
    unknown_registry: String,
    unknown_git: String,
}

#[derive(Clone, Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// Absent: a path of this workspace.
    source: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Clone, Deserialize)]
struct Dependency {
    name: String,
    req: String,
    path: Option<String>,
}

fn rules() -> Result<Rules> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let rules: Rules = toml::from_str(&std::fs::read_to_string(root.join("deny.toml"))?)?;
    // The checks below are those of these settings.
    ensure!(rules.graph.all_features && rules.licenses.private.ignore);
    ensure!(rules.bans.allow_wildcard_paths && rules.bans.wildcards == "deny");
    ensure!(rules.sources.unknown_registry == "deny" && rules.sources.unknown_git == "deny");
    Ok(rules)
}

fn packages() -> Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice::<Metadata>(&output.stdout)?.packages)
}

/// What the rules refuse, one line each.
fn refused(rules: &Rules, packages: &[Package]) -> Result<Vec<String>> {
    let allowed = rules.licenses.allow.iter().map(|text| Licensee::parse(text));
    let allowed = allowed.collect::<Result<Vec<_>, _>>()?;
    let mut refused = Vec::new();
    for package in packages {
        let who = format!("{} {}", package.name, package.version);
        if let Some(ban) = rules.bans.deny.iter().find(|ban| ban.name == package.name) {
            refused.push(format!("{who} is banned: {}", ban.reason));
        }
        for dependency in package.dependencies.iter().filter(|it| it.req == "*") {
            if dependency.path.is_none() {
                refused.push(format!("{who} takes any version of {}", dependency.name));
            }
        }
        let Some(source) = &package.source else { continue };
        if source != CRATES_IO {
            refused.push(format!("{who} comes from {source}"));
        }
        let license = package.license.as_deref().unwrap_or_default();
        let is_allowed = Expression::parse_mode(license, ParseMode::LAX).is_ok_and(|license| {
            license.evaluate(|wanted| allowed.iter().any(|it| it.satisfies(wanted)))
        });
        if !is_allowed {
            refused.push(format!("{who} has the licence {license:?}"));
        }
    }
    Ok(refused)
}

#[test]
fn dependencies_obey_the_rules_of_deny_toml() -> Result<()> {
    let packages = packages()?;
    assert!(packages.len() > 100, "cargo metadata names {} packages", packages.len());
    let refused = refused(&rules()?, &packages)?;
    assert!(refused.is_empty(), "{refused:#?}");
    Ok(())
}

type Change<'a> = &'a dyn Fn(&mut Package);

/// The check of the checks: each rule refuses a package that breaks it.
#[test]
fn each_rule_refuses_what_breaks_it() -> Result<()> {
    let rules = rules()?;
    let good = Package {
        name: "good".into(),
        version: "1.0.0".into(),
        license: Some("GPL-3.0-only OR MIT".into()),
        source: Some(CRATES_IO.into()),
        dependencies: vec![Dependency {
            name: "ours".into(),
            req: "*".into(),
            path: Some("ours".into()),
        }],
    };
    let planted = |change: Change<'_>| -> Result<Vec<String>> {
        let mut package = good.clone();
        change(&mut package);
        refused(&rules, &[package])
    };
    assert_eq!(planted(&|_| ())?, [""; 0]);
    let wildcard = Dependency { name: "any".into(), req: "*".into(), path: None };
    let cases: [(Change<'_>, &str); 7] = [
        (&|it| it.license = Some("GPL-3.0-only".into()), "has the licence"),
        (&|it| it.license = Some("MIT AND GPL-3.0-only".into()), "has the licence"),
        (&|it| it.license = Some("Apache-2.0 WITH GCC-exception-3.1".into()), "has the licence"),
        (&|it| it.license = None, "has the licence"),
        (&|it| it.name = "openssl-sys".into(), "is banned"),
        (&|it| it.source = Some("git+https://example.test/it".into()), "comes from"),
        (&|it| it.dependencies.push(wildcard.clone()), "takes any version"),
    ];
    for (change, expected) in cases {
        let found = planted(change)?;
        assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
    }
    Ok(())
}

/// A tag can be moved to another commit, and a file that is renamed is missed only over there.
#[test]
fn hosted_workflows_name_commits_and_programs_that_are_here() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut actions, mut programs) = (0, 0);
    for entry in std::fs::read_dir(root.join(".github/workflows"))? {
        for line in std::fs::read_to_string(entry?.path())?.lines() {
            let line = line.trim_start().trim_start_matches("- ");
            if let Some(action) = line.strip_prefix("uses: ") {
                let commit = action.split(['@', ' ']).nth(1).unwrap_or_default();
                let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
                assert!(is_commit, "{action}");
                actions += 1;
            }
            if let Some(program) = line.strip_prefix("run: ") {
                assert!(root.join(program).is_file(), "{program}");
                programs += 1;
            }
        }
    }
    assert!(actions > 0 && programs > 0, "no workflow was read");
    Ok(())
}
