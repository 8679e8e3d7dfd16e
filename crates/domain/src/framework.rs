//! Frameworks: the catalogues that others published, as data, and the crosswalk between them.
//!
//! The texts lie in `crates/domain/data/frameworks`, each file under its own licence, byte for
//! byte as it came; nothing here changes a word of them. Whoever shows a text shows its
//! [`Licence::attribution`] too. Not compiled for the browser: the islands do without.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

crate::words! {
    /// What a node of a catalogue is.
    pub enum NodeKind {
        Function = "function", "Function";
        Category = "category", "Category";
        Subcategory = "subcategory", "Subcategory";
        Layer = "layer", "Layer";
        Risk = "risk", "Risk";
        Threat = "threat", "Threat";
        Control = "control", "Control";
    }
}

crate::words! {
    /// Whose words a node's text is.
    pub enum TextKind {
        Verbatim = "verbatim", "The publisher’s words";
        Summary = "summary", "Our summary";
        Ours = "ours", "Ours";
        None = "none", "No text";
    }
}

crate::words! {
    /// Who says that two nodes belong together.
    pub enum LinkSource {
        Published = "published", "Published";
        Editorial = "editorial", "Our judgement";
    }
}

crate::words! {
    /// How far a record of Muster bears on a node.
    pub enum Strength {
        Full = "full", "Is what the node asks for";
        Partial = "partial", "Contributes";
    }
}

/// The terms under which a catalogue's texts may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Licence {
    /// The licence, or what stands in its place.
    pub name: String,
    /// Where its text is.
    pub url: Option<String>,
    /// The line that is shown wherever a text is; `None` where nobody asks for one.
    pub attribution: Option<String>,
    /// What was changed against the publication.
    pub changes: Option<String>,
}

/// One entry of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Node {
    /// The id of the catalogue it is in.
    #[serde(skip)]
    pub catalogue: String,
    /// Its canonical reference: `ASI03`, `GOVERN 1.6`. No two catalogues share one.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The node above it in the same catalogue.
    pub parent: Option<String>,
    /// What it is called.
    pub title: String,
    /// What it says; `None` where only titles may be shown.
    pub text: Option<String>,
    /// What it is.
    pub kind: NodeKind,
    /// Whose words `text` is.
    pub text_kind: TextKind,
    /// Other spellings of the reference.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The catalogue that the node above lies in, where it is another one.
    #[serde(default)]
    pub parent_framework: Option<String>,
    /// The node above, in that other catalogue.
    #[serde(default)]
    pub parent_ref: Option<String>,
}

impl Node {
    /// The catalogue it is in.
    pub fn catalogue(&self) -> Option<&'static Catalogue> {
        catalogue(&self.catalogue)
    }
}

/// A catalogue: one version of one publication.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Catalogue {
    /// Names it: `owasp-agentic-top10-2026`.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Which version.
    pub version: String,
    /// Who published it.
    pub publisher: String,
    /// When, as far as it is known: a year, a month or a day.
    pub published: Option<String>,
    /// Its standing, in words.
    pub status: String,
    /// On what terms it is shown.
    pub licence: Licence,
    /// What to know when reading it.
    #[serde(default)]
    pub notes: Vec<String>,
    /// How many nodes of each kind it says that it has.
    pub counts: BTreeMap<String, usize>,
    /// Its nodes, in its own order.
    pub nodes: Vec<Node>,
}

/// Where a link of the crosswalk begins or ends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct End {
    /// The catalogue.
    pub framework: String,
    /// The node; `None` for the catalogue as a whole.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
}

/// Two nodes that are related.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Link {
    /// One end.
    pub from: End,
    /// The other; the order says nothing of rank.
    pub to: End,
    /// Who says so.
    pub source: LinkSource,
    /// Which publication says so, a key of [`Crosswalk::published_sources`].
    #[serde(default)]
    pub source_id: Option<String>,
    /// Where it is to be read.
    #[serde(default)]
    pub address: Option<String>,
    /// Why, where it is our judgement.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What a record of Muster contributes to a node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Support {
    /// The catalogue.
    pub framework: String,
    /// The node.
    #[serde(rename = "ref")]
    pub reference: String,
    /// How far.
    pub strength: Strength,
    /// Why no further, or why so far.
    pub reason: String,
}

/// A kind of record that Muster keeps, and the nodes that it bears on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProductControl {
    /// Names it: `exception-with-expiry`.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What must be there for it to count.
    pub evidence: String,
    /// The nodes.
    pub supports: Vec<Support>,
}

/// A reference as a page of the source material cites it, and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Cited {
    /// The framework as the page names it.
    pub cited_framework: String,
    /// The reference as the page gives it; `None` where it gives none.
    pub cited_ref: Option<String>,
    /// What it stands for, the nearest first.
    pub resolves_to: Vec<CitedEnd>,
    /// Why.
    pub reason: String,
    /// How sure that is.
    pub confidence: String,
}

/// One of the nodes that a citation stands for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CitedEnd {
    /// The catalogue.
    pub framework: String,
    /// The node; `None` for the catalogue as a whole.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// `primary`, or `secondary` for what it touches besides.
    pub role: String,
}

#[derive(Debug, Deserialize)]
struct SeedReferences {
    references: Vec<Cited>,
}

/// A publication that the crosswalk took links from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PublishedSource {
    /// What it is.
    pub document: String,
    /// Where it is, if that is known.
    pub address: Option<String>,
    /// How much it weighs.
    pub standing: String,
}

/// How the catalogues hang together.
#[derive(Debug, Deserialize)]
pub struct Crosswalk {
    /// The catalogues that it joins.
    pub frameworks: Vec<String>,
    /// The publications that links were taken from.
    pub published_sources: BTreeMap<String, PublishedSource>,
    /// The links.
    pub mappings: Vec<Link>,
    /// What Muster's own records bear on.
    pub product_controls: Vec<ProductControl>,
    seed_references: SeedReferences,
}

impl Crosswalk {
    /// How the source material cites, and what that stands for.
    pub fn cited(&self) -> &[Cited] {
        &self.seed_references.references
    }
}

/// What a typed reference stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// The nodes; none when the whole catalogue is meant. Several when a loose reference means
    /// several at once, the nearest first.
    pub nodes: Vec<&'static Node>,
    /// The catalogue of the first.
    pub catalogue: &'static Catalogue,
    /// The words it was cited by, where they are not the node's own reference; they are shown
    /// beside it ("cited as A1") and never replaced in silence.
    pub cited_as: Option<String>,
}

const FILES: [&str; 11] = [
    include_str!("../data/frameworks/owasp-agentic-top10-2026.json"),
    include_str!("../data/frameworks/owasp-agentic-threats.json"),
    include_str!("../data/frameworks/owasp-nhi-top10-2025.json"),
    include_str!("../data/frameworks/csa-maestro.json"),
    include_str!("../data/frameworks/csa-maestro-gov-local.json"),
    include_str!("../data/frameworks/nist-ai-rmf-1.0.json"),
    include_str!("../data/frameworks/nist-ai-600-1.json"),
    include_str!("../data/frameworks/iso-42001-annex-a.json"),
    include_str!("../data/frameworks/eu-ai-act-selected.json"),
    include_str!("../data/frameworks/csa-aicm-1.1.json"),
    include_str!("../data/frameworks/mitre-atlas-tactics.json"),
];
const CROSSWALK: &str = include_str!("../data/frameworks/crosswalk.json");

static CATALOGUES: LazyLock<Vec<Catalogue>> = LazyLock::new(|| FILES.iter().map(|file| parsed(file)).collect());

static CROSS: LazyLock<Crosswalk> =
    LazyLock::new(|| serde_json::from_str(CROSSWALK).expect("the crosswalk that is built in reads"));

/// Where each reference and each other spelling leads: which catalogue, which node.
static BY_REFERENCE: LazyLock<HashMap<&'static str, (usize, usize)>> = LazyLock::new(|| {
    let mut map = HashMap::new();
    for (c, catalogue) in CATALOGUES.iter().enumerate() {
        for (n, node) in catalogue.nodes.iter().enumerate() {
            for name in std::iter::once(&node.reference).chain(&node.aliases) {
                map.entry(name.as_str()).or_insert((c, n));
            }
        }
    }
    map
});

fn parsed(file: &str) -> Catalogue {
    let mut catalogue: Catalogue = serde_json::from_str(file).expect("a catalogue that is built in reads");
    for node in &mut catalogue.nodes {
        node.catalogue.clone_from(&catalogue.id);
    }
    catalogue
}

/// The catalogues, those about agents first.
pub fn catalogues() -> &'static [Catalogue] {
    &CATALOGUES
}

/// The catalogue of this id.
pub fn catalogue(id: &str) -> Option<&'static Catalogue> {
    CATALOGUES.iter().find(|c| c.id == id)
}

/// The crosswalk.
pub fn crosswalk() -> &'static Crosswalk {
    &CROSS
}

/// The node that a reference means: its own, another spelling of it (`NHI1`, `GV-1.6`, `ASI-3`), or
/// a looser citation of the source material (`A1`), then the nearest node. [`cite`] says which.
pub fn node(reference: &str) -> Option<&'static Node> {
    exact(reference.trim()).or_else(|| cite(reference)?.nodes.first().copied())
}

/// What a reference stands for, and the words it was cited by where those are not the node's own.
pub fn cite(reference: &str) -> Option<Citation> {
    let reference = reference.trim();
    if let Some(node) = exact(reference) {
        let cited_as = (node.reference != reference).then(|| reference.to_owned());
        return Some(Citation { nodes: vec![node], catalogue: node.catalogue()?, cited_as });
    }
    let cited = CROSS.cited().iter().find(|c| c.cited_ref.as_deref() == Some(reference))?;
    let primary: Vec<&CitedEnd> = cited.resolves_to.iter().filter(|end| end.role == "primary").collect();
    let nodes = primary.iter().filter_map(|end| exact(end.reference.as_deref()?)).collect();
    let catalogue = catalogue(&primary.first()?.framework)?;
    Some(Citation { nodes, catalogue, cited_as: Some(reference.to_owned()) })
}

/// As a typed reference is kept: a node's own reference in place of another spelling of it, a loose
/// citation with its own words. `None` where it means nothing.
pub fn kept(reference: &str) -> Option<String> {
    let citation = cite(reference)?;
    match exact(reference.trim()) {
        Some(node) => Some(node.reference.clone()),
        None => citation.cited_as,
    }
}

/// The reference itself, an alias, or a spelling that can mean nothing else.
fn exact(reference: &str) -> Option<&'static Node> {
    let at = BY_REFERENCE.get(reference).or_else(|| BY_REFERENCE.get(respelled(reference)?.as_str()))?;
    CATALOGUES.get(at.0)?.nodes.get(at.1)
}

/// `ASI-3`, `ASI3` → `ASI03`; `T03` → `T3`; `NHI03` → `NHI3:2025`. Never `A3`: that is no list's
/// own, and means something else on each page that uses it.
fn respelled(reference: &str) -> Option<String> {
    let number = |rest: &str| rest.parse::<u8>().ok().filter(|_| rest.bytes().all(|b| b.is_ascii_digit()));
    if let Some(rest) = reference.strip_prefix("ASI") {
        return number(rest.trim_start_matches(['-', ' '])).map(|n| format!("ASI{n:02}"));
    }
    if let Some(rest) = reference.strip_prefix("NHI") {
        return number(rest.strip_suffix(":2025").unwrap_or(rest)).map(|n| format!("NHI{n}:2025"));
    }
    number(reference.strip_prefix('T')?).map(|n| format!("T{n}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_catalogue_has_the_nodes_it_says() {
        let found: Vec<(&str, usize)> = catalogues().iter().map(|c| (c.id.as_str(), c.nodes.len())).collect();
        let expected = [
            ("owasp-agentic-top10-2026", 96),
            ("owasp-agentic-threats", 34),
            ("owasp-nhi-top10-2025", 49),
            ("csa-maestro", 63),
            ("csa-maestro-gov-local", 9),
            ("nist-ai-rmf-1.0", 95),
            ("nist-ai-600-1", 224),
            ("iso-42001-annex-a", 49),
            ("eu-ai-act-selected", 25),
            ("csa-aicm-1.1", 88),
            ("mitre-atlas-tactics", 53),
        ];
        assert_eq!(found, expected);
        for c in catalogues() {
            let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
            for n in &c.nodes {
                *kinds.entry(n.kind.key().to_owned()).or_default() += 1;
                assert_eq!(n.text.is_none(), n.text_kind == TextKind::None, "{}", n.reference);
                assert!(!n.title.is_empty(), "{}", n.reference);
            }
            assert_eq!(kinds, c.counts, "{}", c.id);
            // What is not open is never here word for word.
            if !["owasp-", "nist-", "mitre-"].iter().any(|open| c.id.starts_with(open)) {
                assert!(c.nodes.iter().all(|n| n.text_kind != TextKind::Verbatim), "{}", c.id);
            }
            let ours = c.nodes.iter().all(|n| n.text_kind == TextKind::Ours);
            assert!(ours || c.licence.attribution.is_some(), "{}", c.id);
        }
        let subcategories = catalogue("nist-ai-rmf-1.0").unwrap().counts["subcategory"];
        assert_eq!(subcategories, 72);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let mut seen = BTreeSet::new();
        for n in catalogues().iter().flat_map(|c| &c.nodes) {
            for name in std::iter::once(&n.reference).chain(&n.aliases) {
                assert!(seen.insert(name), "{name} means two nodes");
                assert_eq!(node(name), Some(n), "{name}");
            }
            if let Some(parent) = &n.parent {
                assert!(node(parent).is_some_and(|p| p.catalogue == n.catalogue), "{}", n.reference);
            }
            if let (Some(framework), Some(parent)) = (&n.parent_framework, &n.parent_ref) {
                assert!(node(parent).is_some_and(|p| &p.catalogue == framework), "{}", n.reference);
            }
        }
        let is = |framework: &str, reference: Option<&str>| match reference {
            Some(r) => node(r).is_some_and(|n| n.reference == r && n.catalogue == framework),
            None => catalogue(framework).is_some(),
        };
        let cross = crosswalk();
        assert_eq!(cross.frameworks.len(), catalogues().len());
        assert!(cross.frameworks.iter().all(|f| catalogue(f).is_some()));
        assert_eq!((cross.mappings.len(), cross.product_controls.len(), cross.cited().len()), (607, 21, 15));
        for link in &cross.mappings {
            for end in [&link.from, &link.to] {
                assert!(is(&end.framework, end.reference.as_deref()), "{end:?}");
            }
            match link.source {
                LinkSource::Published => {
                    assert!(link.source_id.as_ref().is_some_and(|s| cross.published_sources.contains_key(s)));
                }
                LinkSource::Editorial => assert!(link.reason.as_ref().is_some_and(|r| !r.is_empty())),
            }
        }
        let supports: Vec<&Support> = cross.product_controls.iter().flat_map(|c| &c.supports).collect();
        assert_eq!(supports.len(), 361);
        assert_eq!(supports.iter().filter(|s| s.strength == Strength::Full).count(), 23);
        assert!(supports.iter().all(|s| is(&s.framework, Some(&s.reference))));
        for cited in cross.cited() {
            assert!(cited.resolves_to.iter().all(|e| is(&e.framework, e.reference.as_deref())), "{cited:?}");
        }
    }

    #[test]
    fn a_loose_citation_keeps_its_words() {
        let of = |r: &str| {
            let c = cite(r).unwrap();
            (c.nodes.iter().map(|n| n.reference.as_str()).collect::<Vec<_>>(), c.cited_as)
        };
        assert_eq!(of("ASI03"), (vec!["ASI03"], None));
        assert_eq!(of("A1"), (vec!["ASI02", "ASI10"], Some("A1".into())));
        // Not the same as A1, though it looks like it.
        assert_eq!(of("A01"), (vec!["ASI03", "ASI02", "ASI10"], Some("A01".into())));
        assert_eq!(of("GOV-02"), (vec!["GOV-2"], Some("GOV-02".into())));
        assert_eq!(of("GV-1.6"), (vec!["GOVERN 1.6"], Some("GV-1.6".into())));
        assert_eq!(of("MAESTRO"), (vec![], Some("MAESTRO".into())));
        assert_eq!(cite("MAESTRO").map(|c| c.catalogue.id.as_str()), Some("csa-maestro"));
        assert_eq!(node("A1").map(|n| n.reference.as_str()), Some("ASI02"));
        for (typed, meant) in [("ASI-3", "ASI03"), ("ASI 3", "ASI03"), (" T03 ", "T3"), ("NHI01:2025", "NHI1:2025")] {
            assert_eq!(node(typed).map(|n| n.reference.as_str()), Some(meant), "{typed}");
        }
        for nothing in ["", "A4", "ASI11", "ASI+3", "T18", "asi03", "NHI", "MAESTRO", "'; --"] {
            assert_eq!(node(nothing), None, "{nothing}");
        }
        assert_eq!(cite("A4"), None);
        let kept = |r: &str| super::kept(r);
        assert_eq!(kept("NHI7").as_deref(), Some("NHI7:2025"));
        assert_eq!(kept(" A05 ").as_deref(), Some("A05"));
        assert_eq!(kept("MAESTRO").as_deref(), Some("MAESTRO"));
        assert_eq!(kept("AC-2"), None);
    }

    /// The files are what their publishers' licences speak of: unchanged, byte for byte.
    #[test]
    fn the_files_are_unchanged() {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        for file in FILES.iter().chain([&CROSSWALK]) {
            hash.update(file.as_bytes());
        }
        assert_eq!(hex::encode(hash.finalize()), "eeaefd0c5326bb6b63b8c907b4f3432e23b8ede66bb4ab176f74d351a8689c23");
    }
}
