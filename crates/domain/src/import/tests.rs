use std::collections::BTreeMap;

use proptest::prelude::*;

use super::encoding::Unreadable;
use super::neutral::{neutral, restored, write_row};
use super::*;
use crate::agent::{AgentFacts, Environment, Hosting, Lifecycle, Running};
use crate::duty::Duty;

fn rows(text: &str) -> Vec<Vec<String>> {
    let table = Table::read(text).unwrap();
    table.rows().map(|r| r.cells.iter().map(|c| c.clone().into_owned()).collect()).collect()
}

/// Reads a text by a guessed mapping.
fn take(text: &str) -> (Mapping, Vec<Outcome>) {
    let table = Table::read(text).unwrap();
    let mapping = guess(&profile(&table).unwrap(), "test", |c| table.is_ours(c));
    let outcomes = by(&mapping, text).unwrap();
    (mapping, outcomes)
}

fn by(mapping: &Mapping, text: &str) -> Result<Vec<Outcome>, String> {
    let table = Table::read(text).unwrap();
    let mut reader = Reader::new(mapping, &table)?;
    Ok(table.rows().map(|r| reader.take(&r)).collect())
}

fn imported(outcome: &Outcome) -> &Imported {
    match outcome {
        Outcome::Row(row) => row,
        Outcome::Refused(r) => panic!("refused: {}", r.reason),
    }
}

fn facts(outcome: &Outcome) -> AgentFacts {
    let row = imported(outcome);
    row.said.upon(&AgentFacts::named(&row.name), &mut Vec::new())
}

#[test]
fn every_encoding_a_spreadsheet_writes_is_found() {
    let text = "name,purpose\r\nCrème – “brûlée”,für ’s\r\n";
    let utf16 = |big: bool| -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    };
    let marked = |mark: &[u8], rest: Vec<u8>| [mark.to_vec(), rest].concat();
    let (latin, _, broken) = encoding_rs::WINDOWS_1252.encode(text);
    assert!(!broken);
    for (bytes, encoding) in [
        (text.as_bytes().to_vec(), Encoding::Utf8),
        (marked(b"\xef\xbb\xbf", text.as_bytes().to_vec()), Encoding::Utf8Bom),
        (marked(b"\xff\xfe", utf16(false)), Encoding::Utf16Le),
        (marked(b"\xfe\xff", utf16(true)), Encoding::Utf16Be),
        (utf16(false), Encoding::Utf16Le),
        (utf16(true), Encoding::Utf16Be),
        (latin.into_owned(), Encoding::Windows1252),
    ] {
        let decoded = decode(&bytes).unwrap();
        assert_eq!((decoded.text.as_ref(), decoded.encoding, decoded.damaged), (text, encoding, 0));
    }
}

#[test]
fn a_few_broken_bytes_do_not_turn_utf_8_into_something_else() {
    let mut bytes = "name\nÄÖÜ äöü ß é è ê\n".as_bytes().to_vec();
    bytes.extend(b"broken \xff here\n");
    let decoded = decode(&bytes).unwrap();
    assert_eq!((decoded.encoding, decoded.damaged), (Encoding::Utf8, 1));
    assert!(decoded.text.contains("ÄÖÜ"));
}

#[test]
fn other_files_are_named() {
    for (bytes, word) in [
        (b"\x89PNG\r\n\x1a\n\0\0".as_slice(), "PNG"),
        (b"PK\x03\x04rest", ".xlsx"),
        (b"<!DOCTYPE html><p>", "web page"),
        (b"  {\"agents\": []}", "JSON"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
    ] {
        let message = decode(bytes).unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
    }
    let noise: Vec<u8> = (0..4_000_u32).map(|i| (i * 7 % 32) as u8).collect();
    assert_eq!(decode(&noise), Err(Unreadable::Binary));
    assert!(matches!(decode(&vec![b'a'; MAX_BYTES + 1]), Err(Unreadable::TooLarge(65))));
}

#[test]
fn the_delimiter_is_found_by_what_the_rows_agree_on() {
    for d in [',', ';', '\t', '|'] {
        let text = format!("name{d}what it does\n\"a{d}b\"{d}\"x; y, z\"\n\"c\nd\"{d}\"say \"\"hi\"\"\"\n");
        assert_eq!(rows(&text), [[format!("a{d}b"), "x; y, z".into()], ["c\nd".into(), "say \"hi\"".into()]], "{d:?}");
    }
    assert_eq!(Table::read("sep=;\r\na;b,c,d\r\n1;2\r\n").unwrap().delimiter(), ';');
    assert_eq!(rows("only\none\n\n two \n"), [["one"], [" two "]]);
}

#[test]
fn rows_may_be_ragged_and_say_so() {
    let text = "a,b,a,\n1\n1,2,3,4,5,,6\n1,2,3,,,,\n\n,,\nx\ry\n";
    let table = Table::read(text).unwrap();
    assert_eq!(table.header(), ["a", "b", "a (2)"]);
    let all: Vec<Record<'_>> = table.rows().collect();
    let seen: Vec<(usize, usize, bool)> = all.iter().map(|r| (r.row, r.given, r.refusal().is_some())).collect();
    assert_eq!(seen, [(2, 1, false), (3, 7, true), (4, 7, false), (7, 1, false), (8, 1, false)]);
    assert_eq!(all[1].refusal().unwrap(), "The row has 7 cells and the header 3 columns; the cells beyond hold “4”.");
    assert_eq!(table.cells(all[1].raw), ["1", "2", "3", "4", "5", "", "6"]);
    let header = Table::read("x,x,,x (2),X\n1").unwrap();
    assert_eq!(header.header(), ["x", "x (2)", "Column 3", "x (2) (2)", "X (3)"]);
}

#[test]
fn a_quote_that_never_closes_costs_one_row_only() {
    let text = "name,purpose\na,b\n\"open,c\nd,\"e\"\nf,g\n";
    let table = Table::read(text).unwrap();
    let all: Vec<(usize, bool)> = table.rows().map(|r| (r.row, r.refusal().is_some())).collect();
    assert_eq!(all, [(2, false), (3, true), (4, false), (5, false)]);
}

#[test]
fn limits_are_sentences() {
    let wide = vec!["c"; 10_000].join(",");
    assert_eq!(Table::read(&wide).unwrap_err(), Unreadable::TooManyColumns(10_000));
    let table = format!("name,purpose\n{wide}\nb,c\n");
    let table = Table::read(&table).unwrap();
    assert_eq!(table.rows().map(|r| r.refusal().is_some()).collect::<Vec<_>>(), [true, false]);
    assert_eq!(profile(&Table::read("name\n").unwrap()), Err(Unreadable::NoRows));
    let long = format!("n\n{}", "x\n".repeat(MAX_ROWS + 1));
    assert_eq!(profile(&Table::read(&long).unwrap()), Err(Unreadable::TooManyRows));
}

/// The header of the United States' federal inventory of 2024, its eleven stages, and the
/// ways in which it says that rights or safety are at stake.
const FEDERAL: &str = "Use Case Name,Agency,Agency Abbreviation,Bureau,Use Case Topic Area,\
    What is the intended purpose and expected benefits of the AI?,Describe the AI system’s outputs.,\
    Stage of Development,\"Is the AI use case rights-impacting, safety-impacting, both, or neither?\",\
    How is the agency ensuring compliance with Information Quality Act guidelines?,System Name\n\
    A,Department of X,X,Bureau of Y,Health,P,O,Operation and Maintenance,Both,no,S\n\
    B,Department of X,X,Bureau of Y,Health,P,O,In production,\"Rights-Impacting\n\",no,S\n\
    C,Department of X,X,Bureau of Y,Health,P,O,In mission,Safety-impacting,no,S\n\
    D,Department of X,X,Bureau of Y,Health,P,O,Implementation and Assessment,Neither,no,S\n\
    E,Department of X,X,Bureau of Y,Health,P,O,Acquisition and/or Development,Neither,no,S\n\
    F,Department of X,X,Bureau of Y,Health,P,O,Initiated,\"No, use case is too new to fully assess\",no,S\n\
    G,Department of X,X,Bureau of Y,Health,P,O,Planned,,no,S\n\
    H,Department of X,X,Bureau of Y,Health,P,O,Ideation,,no,S\n\
    I,Department of X,X,Bureau of Y,Health,P,O,Research or  Administrative Action Complete,,no,S\n\
    J,Department of X,X,Bureau of Y,Health,P,O,Retired,,no,S\n\
    K,Department of X,X,Bureau of Y,Health,P,O,,,no,S\n";

#[test]
fn the_eleven_stages_of_the_federal_inventory() {
    use Environment::{Production, Sandbox, Staging};
    use Lifecycle::{Discovered, Draft, Retired};
    use Running::{No, Unknown, Yes};
    let (mapping, outcomes) = take(FEDERAL);
    assert_eq!(mapping.key, ["Use Case Name", "Agency", "Bureau"]);
    assert_eq!(mapping.fields[&Field::BusinessUnit].column.as_deref(), Some("Agency"));
    let got: Vec<_> = outcomes
        .iter()
        .map(|o| {
            let f = facts(o);
            (imported(o).state, f.running, f.environment, f.regulated)
        })
        .collect();
    let want = [
        (Discovered, Yes, Production, true),
        (Discovered, Yes, Production, true),
        (Discovered, Yes, Production, true),
        (Draft, No, Staging, false),
        (Draft, No, Sandbox, false),
        (Draft, No, Sandbox, false),
        (Draft, No, Sandbox, false),
        (Draft, No, Sandbox, false),
        (Draft, No, Sandbox, false),
        (Retired, No, Sandbox, false),
        (Draft, Unknown, Sandbox, false),
    ];
    assert_eq!(got, want);
    assert_eq!(imported(&outcomes[10]).notes, [Note::StageMissing]);
    assert!(imported(&outcomes[0]).notes.is_empty());
    let first = facts(&outcomes[0]);
    assert_eq!((first.business_unit.as_str(), first.purpose.as_str()), ("Department of X", "P"));
    assert_eq!(first.labels["bureau"], "Bureau of Y");
    assert_eq!(first.external_ids[0].id, "A / Department of X / Bureau of Y");
}

#[test]
fn every_row_is_an_agent_and_none_is_merged() {
    let (mapping, outcomes) =
        take("Agent,Agency,Status\nBot,X,Live\nbot,X,Live\n,X,Live\n,,Live\n,,weird\nBOT #2,X,Retired\nBot,Y,\n");
    assert_eq!(mapping.key, ["Agent", "Agency"]);
    let keys: Vec<&str> = outcomes.iter().map(|o| imported(o).key.as_str()).collect();
    assert_eq!(keys, ["Bot / X", "bot / X #2", "- / X", "#1", "#2", "BOT #2 / X", "Bot / Y"]);
    let names: Vec<&str> = outcomes.iter().map(|o| imported(o).name.as_str()).collect();
    assert_eq!(names, ["Bot", "bot", "(unnamed, row 4)", "(unnamed, row 5)", "(unnamed, row 6)", "BOT #2", "Bot"]);
    assert_eq!(imported(&outcomes[1]).record.duplicate_of.as_deref(), Some("bot / X"));
    assert!(imported(&outcomes[3]).record.name_missing);
    assert_eq!(imported(&outcomes[4]).state, Lifecycle::Draft);
    assert_eq!(facts(&outcomes[4]).running, Running::Unknown);
    assert!(imported(&outcomes[4]).notes.iter().any(|n| n.sentence().contains("“weird”")));
}

#[test]
fn what_is_shortened_or_cleaned_is_said() {
    let text =
        format!("name,purpose,note\n{},{},a\u{0}b\nx\u{0}y,ok\u{7}\nline,z,w", "n".repeat(342), "p".repeat(4_129));
    let (_, outcomes) = take(&text);
    let row = imported(&outcomes[0]);
    assert_eq!(row.name.chars().count(), 200);
    assert!(row.name.ends_with('…'));
    let said: Vec<String> = row.notes.iter().map(Note::sentence).collect();
    assert_eq!(
        said,
        ["The name was shortened to 200 characters of 342.", "The purpose was shortened to 4000 characters of 4129."]
    );
    assert_eq!(row.key.chars().count(), 342, "the key is of what was written");
    let second = imported(&outcomes[1]);
    assert_eq!((second.name.as_str(), second.said.purpose.as_deref()), ("xy", Some("ok")));
    assert_eq!(second.notes, [Note::Cleaned]);
}

#[test]
fn formulas_markup_and_scripts_of_the_world_are_kept_as_they_are() {
    let names =
        ["<script>alert(1)</script>", "=cmd()", "وكيل الدعم", "🤖 бот", "@SUM(A1)", "Robert'); DROP TABLE agent;--"];
    let text = format!("name,purpose\n{}", names.map(|n| format!("{n},x\n")).concat());
    let (_, outcomes) = take(&text);
    assert_eq!(outcomes.iter().map(|o| imported(o).name.as_str()).collect::<Vec<_>>(), names);
    let mut out = String::new();
    write_row(&mut out, ["=1+1", "a,b", "\"q\"", "@x", "-1", "'=y", "plain"]);
    assert_eq!(out, "'=1+1,\"a,b\",\"\"\"q\"\"\",'@x,'-1,''=y,plain\r\n");
}

#[test]
fn a_refused_row_is_mended_and_taken_as_what_it_was() {
    let mapping = take("name,purpose\nA,x\nA,y,z\nB,w\n").0;
    let outcomes = by(&mapping, "name,purpose\nA,x\nA,y,z\nB,w\n").unwrap();
    let Outcome::Refused(refused) = &outcomes[1] else { panic!("taken") };
    assert_eq!((refused.row, refused.key.as_str(), refused.name.as_str()), (3, "A #2", "A"));
    let mut file = String::new();
    write_row(&mut file, [REASON_COLUMN, KEY_COLUMN, "name", "purpose"]);
    write_row(&mut file, [refused.reason.as_str(), refused.key.as_str(), "A", "=y"]);
    let again = by(&mapping, &file).unwrap();
    let row = imported(&again[0]);
    assert_eq!((row.key.as_str(), row.said.purpose.as_deref()), ("A #2", Some("=y")));
    assert_eq!(row.record.duplicate_of.as_deref(), Some("A"));
    assert_eq!(take(&file).0.key, ["name"], "our own columns are never guessed");
}

#[test]
fn a_mapping_says_what_words_mean_and_travels_as_toml() {
    let toml = r#"
        source = "cmdb"
        key = ["CI"]
        [fields.name]
        column = "CI"
        [fields.purpose]
        columns = ["What", "Why"]
        [fields.stage]
        column = "St"
        values = { "7" = "operating", "9" = "retired" }
        [fields.hosting]
        value = "vendor-managed"
        [fields.vendor]
        column = "Who"
        [labels]
        team = "Team"
        [owners]
        purpose = ["Owner mail", "Owner"]
        [tools]
        column = "Tools"
        access = "read"
    "#;
    let mapping = Mapping::from_toml(toml).unwrap();
    assert_eq!(Mapping::from_toml(&mapping.to_toml()).unwrap(), mapping);
    let text = "CI,What,Why,St,Who,Team,Owner mail,Owner,Tools\n\
                1,does,because,7,Acme,Blue,,Ana Silva <ana@example.org>,\"Jira; jira, Slack\"\n2,x,n/a,9,,,,,\n";
    let outcomes = by(&mapping, text).unwrap();
    let first = facts(&outcomes[0]);
    assert_eq!(first.purpose, "does\n\nbecause");
    assert_eq!((first.hosting, first.vendor.as_str()), (Hosting::VendorManaged, "Acme"));
    assert_eq!(first.tools.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["Jira", "Slack"]);
    assert_eq!(imported(&outcomes[0]).owners, [(Duty::Purpose, vec!["ana@example.org".into(), "Ana Silva".into()])]);
    assert_eq!(imported(&outcomes[1]).state, Lifecycle::Retired);
    for (bad, word) in [
        ("key = 1", "not valid"),
        ("[fields.stage]\nvalue = \"asleep\"", "asleep"),
        ("[fields.colour]\ncolumn = \"x\"", "not valid"),
        ("surprise = true", "surprise"),
        ("[credentials]\ncolumn = \"x\"", "kind"),
    ] {
        let message = Mapping::from_toml(bad).unwrap_err();
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(
        by(&mapping, "CI,What\n1,2\n").unwrap_err(),
        "The mapping names 7 columns that the file does not have: “Why”, “St”, “Who”, “Team”, “Owner mail”, …."
    );
}

#[test]
fn guesses_read_common_inventories() {
    let text = "Agent ID,Agent Name,Description,Business Unit,Env,Status,Hosting,Vendor,Data Classification,Autonomy Level,\
                Business Owner,Business Owner Email,Technical Lead,Model,Tools,Type\n\
                7,Helper,Answers mail,Sales,PROD,Live,SaaS,Acme,PII,Human-in-the-loop,Ana,ana@example.org,Bo,GPT; Claude,Mail,Chatbot\n\
                8,Coder,Writes code,IT,dev,Pilot,On-prem,,internal,autonomous,,,,,,Code assistant\n";
    let (mapping, outcomes) = take(text);
    assert_eq!(mapping.key, ["Agent ID"]);
    assert_eq!(mapping.owners[&Duty::Purpose], ["Business Owner Email", "Business Owner"]);
    assert_eq!(mapping.owners[&Duty::Implementation], ["Technical Lead"]);
    let (a, b) = (facts(&outcomes[0]), facts(&outcomes[1]));
    assert_eq!((a.environment, a.running, a.vendor.as_str()), (Environment::Production, Running::Yes, "Acme"));
    assert_eq!((a.kind.key(), a.autonomy.key(), a.data.key()), ("assistant", "acts-with-approval", "confidential"));
    assert_eq!(a.models, ["Claude", "GPT"]);
    assert_eq!((b.environment, b.running, b.hosting), (Environment::Sandbox, Running::Unknown, Hosting::Internal));
    assert_eq!((b.kind.key(), b.autonomy.key()), ("coding", "acts-alone"));
    assert_eq!(crate::facts::check(a.clone()).unwrap().name, "Helper");
}

#[test]
fn a_file_without_a_telling_header_still_gives_agents() {
    let (mapping, outcomes) = take("x1,x2\n1,Alpha\n2,Beta\n");
    assert_eq!(mapping.fields[&Field::Name].column.as_deref(), Some("x2"));
    assert_eq!(imported(&outcomes[0]).name, "Alpha");
    assert_eq!(mapping::source_of("C:\\files\\AI Inventory (2024).CSV"), "ai-inventory-2024");
    assert_eq!(mapping::source_of("***"), "inventory");
}

#[test]
fn what_an_import_may_change() {
    let text = "name,purpose,status,region\nBot,new purpose,Live,North\n";
    let (_, outcomes) = take(text);
    let row = imported(&outcomes[0]);
    let mut before = facts(&outcomes[0]);
    assert!(compare(row, &before, Lifecycle::Discovered).changes.is_empty(), "the same file again changes nothing");

    before.purpose = "old purpose".into();
    before.labels.insert("kept".into(), "yes".into());
    before.labels.insert("region".into(), "South".into());
    let open = compare(row, &before, Lifecycle::Draft);
    assert_eq!(open.changes.iter().map(|c| c.field.as_str()).collect::<Vec<_>>(), ["purpose", "labels.region"]);
    assert_eq!(open.facts.labels["kept"], "yes");

    let approved = compare(row, &before, Lifecycle::Active);
    assert_eq!(approved.drift.iter().map(|c| c.field.as_str()).collect::<Vec<_>>(), ["purpose"]);
    assert_eq!(approved.changes.iter().map(|c| c.field.as_str()).collect::<Vec<_>>(), ["labels.region"]);
    assert_eq!(approved.facts.boundary_sha256(), before.boundary_sha256());

    let retired = compare(row, &before, Lifecycle::Retired);
    assert_eq!((retired.facts, retired.notes), (before, vec![Note::SignOfLife]));
}

#[test]
fn an_empty_cell_says_nothing() {
    let (mapping, _) = take("name,purpose,status,region\nBot,p,Live,North\n");
    let outcomes = by(&mapping, "name,purpose,status,region\nBot,,,\n").unwrap();
    let mut before = AgentFacts::named("Bot");
    before.purpose = "p".into();
    before.running = Running::Yes;
    before.labels.insert("region".into(), "North".into());
    before.external_ids = imported(&outcomes[0]).said.external_ids.clone();
    assert!(compare(imported(&outcomes[0]), &before, Lifecycle::Draft).changes.is_empty());
}

#[test]
fn a_vendor_without_hosting_is_not_taken_for_a_host() {
    let (_, outcomes) = take("name,vendor\nBot,Acme\n");
    let f = facts(&outcomes[0]);
    assert_eq!((f.hosting, f.vendor.as_str(), f.labels["vendor"].as_str()), (Hosting::Internal, "", "Acme"));
    let (_, outcomes) = take("name,hosting,vendor\nA,vendor,\nB,internal,Acme\nC,vendor,Zed\n");
    for o in &outcomes {
        assert!(crate::facts::check(facts(o)).is_ok());
    }
    assert_eq!(facts(&outcomes[0]).vendor, "(not named)");
    assert_eq!(facts(&outcomes[1]).labels["vendor"], "Acme");
}

#[test]
fn retired_and_running_at_once_is_not_hidden() {
    let (_, outcomes) = take("name,status,running\nBot,Retired,yes\n");
    let row = imported(&outcomes[0]);
    assert_eq!((row.state, row.said.running), (Lifecycle::Discovered, Some(Running::Yes)));
    assert_eq!(row.notes, [Note::Contradiction]);
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-zA-Z0-9 ,;|\t\"'=+@\r\n-]{0,12}",
        "\\PC{0,8}",
        any::<String>().prop_map(|s| s.chars().take(12).collect()),
    ]
}

proptest! {
    /// Whatever bytes come, there is an answer.
    #[test]
    fn no_bytes_crash_it(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(decoded) = decode(&bytes)
            && let Ok(table) = Table::read(&decoded.text)
            && let Ok(profile) = profile(&table)
        {
            let mapping = guess(&profile, "p", |c| table.is_ours(c));
            let mut reader = Reader::new(&mapping, &table).unwrap();
            let mut n = 0;
            for record in table.rows() {
                n += 1;
                if let Outcome::Row(row) = reader.take(&record) {
                    let f = row.said.upon(&AgentFacts::named(&row.name), &mut Vec::new());
                    prop_assert!(crate::facts::check(f).is_ok());
                }
            }
            prop_assert_eq!(n, profile.rows);
        }
    }

    /// What is written comes back, cell by cell, in any encoding.
    #[test]
    fn a_table_comes_back(
        table in proptest::collection::vec(proptest::collection::vec(cell(), 3), 1..8),
        wide in any::<bool>(),
    ) {
        let mut text = String::from("name,purpose,other\r\n");
        for row in &table {
            let quoted: Vec<String> = row.iter().map(|c| format!("\"{}\"", c.replace('"', "\"\""))).collect();
            text.push_str(&quoted.join(","));
            text.push_str("\r\n");
        }
        let bytes = if wide {
            [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
        } else {
            [b"\xef\xbb\xbf".to_vec(), text.into_bytes()].concat()
        };
        if let Ok(decoded) = decode(&bytes) {
            let want: Vec<Vec<String>> =
                table.iter().filter(|r| r.iter().any(|c| !c.trim().is_empty())).cloned().collect();
            prop_assert_eq!(rows(&decoded.text), want);
        }
    }

    /// Whatever a file says, every row is accounted for once, by a key of its own, and what
    /// comes of it can be kept; the same file again changes nothing.
    #[test]
    fn every_row_is_accounted_for(
        table in proptest::collection::vec(proptest::collection::vec(cell(), 4), 1..12),
    ) {
        let mut text = String::from("Agent Name,Status,Vendor,Tools\r\n");
        let mut filled = 0;
        for row in &table {
            filled += usize::from(row.iter().any(|c| !c.trim().is_empty()));
            let quoted: Vec<String> = row.iter().map(|c| format!("\"{}\"", c.replace('"', "\"\""))).collect();
            text.push_str(&quoted.join(","));
            text.push_str("\r\n");
        }
        prop_assume!(filled > 0);
        let (mapping, outcomes) = take(&text);
        prop_assert_eq!(outcomes.len(), filled);
        prop_assert_eq!(&Mapping::from_toml(&mapping.to_toml()).unwrap(), &mapping);
        let mut keys = std::collections::HashSet::new();
        for o in &outcomes {
            let row = imported(o);
            prop_assert!(keys.insert(crate::text::fold(&row.key)), "{}", row.key);
            let mut made = facts(o);
            if row.state == Lifecycle::Retired { made.running = Running::No; }
            let made = crate::facts::check(made).unwrap();
            prop_assert!(compare(row, &made, Lifecycle::Draft).changes.is_empty());
        }
    }

    /// A neutral cell never runs, and gives the cell back.
    #[test]
    fn neutral_cells(cell in any::<String>()) {
        let safe = neutral(&cell);
        prop_assert!(!super::neutral::would_run(&safe));
        prop_assert_eq!(restored(&safe), cell.as_str());
    }

    /// Meanings and labels of any text survive TOML.
    #[test]
    fn mappings_travel(from in "\\PC{0,20}", label in "[a-z]{1,10}", column in "\\PC{1,30}") {
        let mut mapping = Mapping { source: "s".into(), key: vec![column.clone()], ..Mapping::default() };
        let values = BTreeMap::from([(from, "retired".to_owned())]);
        mapping.fields.insert(Field::Stage, Rule { column: Some(column.clone()), values, ..Rule::default() });
        mapping.labels.insert(label, column);
        prop_assert_eq!(Mapping::from_toml(&mapping.to_toml()).unwrap(), mapping);
    }
}
