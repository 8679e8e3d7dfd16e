//! Frameworks: the catalogues that others published, as data, and the crosswalk between them.
//!
//! The texts lie in `crates/domain/data/frameworks`, each file under its own licence, byte for
//! byte as it came; nothing here changes a word of them. Whoever shows a text shows its
//! [`Licence::attribution`] too. Not compiled for the browser: the islands do without.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::text;

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
    /// Other wordings of the title in the publication itself.
    #[serde(default)]
    pub title_variants: Vec<String>,
    /// What to know when reading it.
    #[serde(default)]
    pub note: Option<String>,
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

    /// Where its page is.
    pub fn path(&self) -> String {
        let mut out = format!("/frameworks/{}/", self.catalogue);
        for byte in self.reference.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b':' => out.push(char::from(byte)),
                // Writing to a string cannot fail.
                _ => drop(write!(out, "%{byte:02X}")),
            }
        }
        out
    }

    /// The node above, in whichever catalogue that is.
    pub fn above(&self) -> Option<&'static Node> {
        match (&self.parent, &self.parent_framework, &self.parent_ref) {
            (Some(parent), ..) => within(&self.catalogue, parent),
            (None, Some(framework), Some(parent)) => within(framework, parent),
            _ => None,
        }
    }

    /// The nodes right below it, in its own catalogue first.
    pub fn below(&self) -> impl Iterator<Item = &'static Node> + use<> {
        let (catalogue, reference) = (self.catalogue.clone(), self.reference.clone());
        catalogues().iter().flat_map(|c| &c.nodes).filter(move |n| {
            (n.catalogue == catalogue && n.parent.as_ref() == Some(&reference))
                || (n.parent_framework.as_ref() == Some(&catalogue) && n.parent_ref.as_ref() == Some(&reference))
        })
    }

    /// The nodes that the crosswalk joins it with, and by which links: published ones first.
    pub fn related(&self) -> Vec<(&'static Node, &'static Link)> {
        let is = |end: &End| end.framework == self.catalogue && end.reference.as_ref() == Some(&self.reference);
        let mut out: Vec<(&'static Node, &'static Link)> = CROSS
            .mappings
            .iter()
            .filter_map(|link| {
                let other = match (is(&link.from), is(&link.to)) {
                    (true, _) => &link.to,
                    (_, true) => &link.from,
                    _ => return None,
                };
                Some((within(&other.framework, other.reference.as_deref()?)?, link))
            })
            .collect();
        out.sort_by_key(|(_, link)| link.source);
        out
    }

    /// Which of Muster's own records bear on it, and how far, as the catalogues ship it: what is a
    /// whole answer first.
    pub fn supported_by(&self) -> Vec<(&'static ProductControl, &'static Support)> {
        let mut out: Vec<(&'static ProductControl, &'static Support)> = CROSS
            .product_controls
            .iter()
            .flat_map(|c| c.supports.iter().map(move |s| (c, s)))
            .filter(|(_, s)| s.framework == self.catalogue && s.reference == self.reference)
            .collect();
        out.sort_by_key(|(_, s)| s.strength);
        out
    }

    /// The loose citations of the source material that mean it, the nearest ones first.
    pub fn cited_as(&self) -> Vec<&'static Cited> {
        let role = |c: &Cited| {
            let end = |e: &&CitedEnd| e.framework == self.catalogue && e.reference.as_ref() == Some(&self.reference);
            c.resolves_to.iter().find(end).map(|e| e.role != "primary")
        };
        let mut out: Vec<&'static Cited> = CROSS.cited().iter().filter(|c| role(c).is_some()).collect();
        out.sort_by_key(|c| role(c));
        out
    }
}

/// The node of a catalogue by its own reference.
pub fn within(catalogue: &str, reference: &str) -> Option<&'static Node> {
    exact(reference).filter(|n| n.catalogue == catalogue && n.reference == reference)
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

impl Link {
    /// Who says so and why, in a sentence.
    pub fn told(&self) -> String {
        let published = self.source_id.as_ref().and_then(|id| CROSS.published_sources.get(id));
        match (self.source, published, &self.reason) {
            (LinkSource::Published, Some(source), _) => format!("{} ({})", source.document, source.standing),
            (LinkSource::Published, None, _) => String::new(),
            (LinkSource::Editorial, _, reason) => reason.clone().unwrap_or_default(),
        }
    }
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

/// Each node's words, folded: what a search reads.
static WORDS: LazyLock<Vec<(&'static Node, String)>> = LazyLock::new(|| {
    let folded = |n: &'static Node| {
        let parts = [n.reference.as_str(), n.title.as_str(), n.text.as_deref().unwrap_or_default()];
        let others = n.aliases.iter().chain(&n.title_variants).map(String::as_str);
        (n, text::fold(&parts.into_iter().chain(others).collect::<Vec<_>>().join(" ")))
    };
    CATALOGUES.iter().flat_map(|c| &c.nodes).map(folded).collect()
});

/// What a search finds: first what the words cite as a reference, then every node that holds all of
/// the words, in the order of the catalogues.
pub fn search(words: &str) -> Vec<&'static Node> {
    let mut out: Vec<&'static Node> = cite(words).map(|c| c.nodes).unwrap_or_default();
    let wanted = text::fold(words);
    if wanted.is_empty() {
        return out;
    }
    let holds = |folded: &str| wanted.split(' ').all(|word| folded.contains(word));
    for (node, folded) in WORDS.iter() {
        if holds(folded) && !out.iter().any(|n| std::ptr::eq(*n, *node)) {
            out.push(node);
        }
    }
    out
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

    #[test]
    fn a_node_knows_its_neighbours() {
        let of = |r: &str| node(r).unwrap();
        let refs = |nodes: Vec<&Node>| nodes.iter().map(|n| n.reference.clone()).collect::<Vec<_>>();
        assert_eq!(of("GOVERN 1.6").above().map(|n| n.reference.as_str()), Some("GOVERN 1"));
        assert_eq!(of("GOVERN").above(), None);
        // The action of the profile lies under a subcategory of the framework itself.
        assert_eq!(of("GV-1.6-001").above().map(|n| n.reference.as_str()), Some("GOVERN 1.6"));
        assert!(refs(of("GOVERN 1.6").below().collect()).contains(&"GV-1.6-001".to_owned()));
        assert_eq!(
            of("ASI01").below().count(),
            catalogue("owasp-agentic-top10-2026")
                .unwrap()
                .nodes
                .iter()
                .filter(|n| n.parent.as_deref() == Some("ASI01"))
                .count()
        );
        let related = of("ASI01").related();
        assert!(related.iter().any(|(n, l)| n.reference == "T6" && l.source == LinkSource::Published));
        assert!(related.windows(2).all(|w| w[0].1.source <= w[1].1.source), "published first");
        assert!(related.iter().all(|(_, l)| !l.told().is_empty()));
        // Read from either end, it is the same pair.
        assert!(of("T6").related().iter().any(|(n, _)| n.reference == "ASI01"));
        let supported = of("GOVERN 1.6").supported_by();
        assert_eq!(
            supported.first().map(|(c, s)| (c.id.as_str(), s.strength)),
            Some(("agent-inventory-entry", Strength::Full))
        );
        assert_eq!(of("ASI02").cited_as().first().and_then(|c| c.cited_ref.as_deref()), Some("A1"));
        for n in catalogues().iter().flat_map(|c| &c.nodes) {
            assert_eq!(within(&n.catalogue, &n.reference), Some(n));
            assert!(n.path().is_ascii() && !n.path().contains([' ', '?', '#', '&']), "{}", n.path());
        }
        assert_eq!(of("A&A-06").path(), "/frameworks/csa-aicm-1.1/A%26A-06");
    }

    #[test]
    fn a_search_finds_references_citations_and_words() {
        let found = |q: &str| search(q).iter().map(|n| n.reference.as_str()).collect::<Vec<_>>();
        assert_eq!(found("A1")[..2], ["ASI02", "ASI10"]);
        assert_eq!(found("NHI1").first(), Some(&"NHI1:2025"));
        assert!(found("INVENTORY mechanisms").contains(&"GOVERN 1.6"));
        assert!(found("nothing says this anywhere").is_empty() && found("").is_empty() && found("  ").is_empty());
    }

    /// The files are what their publishers' licences speak of: unchanged, byte for byte.
    #[test]
    fn the_files_are_unchanged() {
        use sha2::{Digest, Sha256};
        let expected = [
            ("owasp-agentic-top10-2026", "563b0caeffc02d1cba29932f616d8232a4a18476c4b31c243438e2ee7f268cf6"),
            ("owasp-agentic-threats", "2b341ad2dfbc3228ddec4ee80401f766300d70aa6f9d2e5ae80f4bef19f0cbd2"),
            ("owasp-nhi-top10-2025", "7323193926cf488bb1e8c8803bb1682e34bec60cf8e8ce6e24aedc8e2add6a7a"),
            ("csa-maestro", "8647313f8efd756e69d2c8e23a6679faa5c2c57fdece147059110f3aca17de56"),
            ("csa-maestro-gov-local", "248689941be3bdb03f6f214fc5cc5157eaba5a10c08b436304735cedb81a06b0"),
            ("nist-ai-rmf-1.0", "0019c73beaac31fe270c596b3f7693cc9ab98a06f38bc7cda5cc5c7794e7357b"),
            ("nist-ai-600-1", "8f6b85f0bc3260c1cd55ea1c67db9ff23c2a6566370a4d543a3c1fc859116d81"),
            ("iso-42001-annex-a", "59bd99c0ae6ea39988204bd28a22a0a3840c227d0895b0f6e703d30158fef306"),
            ("eu-ai-act-selected", "cff9a064c8eafdbd05b6b7227f71df388e279ce365c418e1a346575d6b210c32"),
            ("csa-aicm-1.1", "9db528fd06b8ba73870e568f75f183897404034a113b6ebfb167314df9cdfdf7"),
            ("mitre-atlas-tactics", "82691b51d4a077916b89e4cde809093338b139bc790f66b8559cf806f6411fc1"),
            ("crosswalk", "560a080e2478d523b31c584d71a3d97fbeabd52cf58d70fe51bb170a2dc9d5bf"),
        ];
        let ids = catalogues().iter().map(|c| c.id.as_str()).chain(["crosswalk"]);
        let found =
            ids.zip(FILES.iter().chain([&CROSSWALK])).map(|(id, f)| (id, hex::encode(Sha256::digest(f.as_bytes()))));
        assert_eq!(found.collect::<Vec<_>>(), expected.map(|(id, hash)| (id, hash.to_owned())));
    }
}
