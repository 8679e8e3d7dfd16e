//! The API as a person reads it: what can be called, with what, and what comes back. Made
//! from the document that programs read, so that both say the same.

mod words;

use leptos::prelude::*;

use crate::components::{Badge, IntoPiece, PageHead, Section, TableFrame, Tone};
use words::{line, prose};

/// The API.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    /// Its version.
    pub version: String,
    /// What all calls have in common.
    pub about: String,
    /// The calls, by what they are about.
    pub groups: Vec<Group>,
    /// What is sent and answered, by name.
    pub shapes: Vec<Shape>,
    /// What every call may answer when it does not do as asked.
    pub problems: Vec<Answer>,
}

/// Calls about one thing.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Names it in the address.
    pub id: String,
    /// What they are about.
    pub about: String,
    /// The calls.
    pub calls: Vec<Call>,
}

/// One call.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Names it in the address.
    pub id: String,
    /// `GET`.
    pub method: String,
    /// `/api/v1/agents/{id}`.
    pub path: String,
    /// What it does, in a few words.
    pub summary: String,
    /// The rest.
    pub about: String,
    /// What it takes beside a body.
    pub parameters: Vec<Parameter>,
    /// The body it takes.
    pub body: Option<Body>,
    /// What it answers when it does as asked.
    pub answers: Vec<Answer>,
    /// The statuses of the problems it may answer.
    pub problems: String,
}

/// Something that a call takes.
#[derive(Debug, Clone, Default)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    /// What it may be.
    pub kind: String,
    /// It may not be left out.
    pub required: bool,
    /// What it is for.
    pub about: String,
}

/// A body.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// Its media types.
    pub types: String,
    /// What it may be.
    pub kind: Kind,
}

/// What a value may be: in words, and where that is told.
#[derive(Debug, Clone, Default)]
pub struct Kind {
    /// `a list of Agent`.
    pub words: String,
    /// The name of the shape, if it is one.
    pub shape: String,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// `201`.
    pub status: String,
    /// What it means.
    pub about: String,
    /// What it carries.
    pub kind: Kind,
    /// Headers that come with it.
    pub headers: String,
}

/// Something that is sent or answered.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// The values it may have, if it is one of a few words.
    pub values: Vec<String>,
    /// Its members.
    pub members: Vec<Member>,
    /// What one looks like.
    pub example: String,
}

/// A member.
#[derive(Debug, Clone, Default)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// What it may be.
    pub kind: Kind,
    /// It may not be left out.
    pub required: bool,
    /// What it is.
    pub about: String,
}

/// The whole page; goes inside the layout.
#[component]
pub fn ApiReference(
    /// The API.
    reference: Reference,
) -> impl IntoView {
    let Reference { version, about, groups, shapes, problems } = reference;
    let contents =
        groups.iter().map(|g| view! { <li><a href=format!("#{}", g.id)>{g.id.clone()}</a></li> }).collect_view();
    let groups = groups.into_iter().map(|group| view! { <Calls group=group/> }).collect_view();
    let shapes = shapes.into_iter().map(|shape| view! { <OneShape shape=shape/> }).collect_view();
    let problems = problems
        .into_iter()
        .map(|p| view! { <tr><th scope="row" class="num">{p.status}</th><td>{line(&p.about)}</td></tr> })
        .collect_view();
    view! {
        <PageHead title="API" reference=version lead="What programs may ask of Muster, and what they are told."
            actions=move || view! { <a class="button" href="/api/v1/openapi.json">"OpenAPI document"</a> }/>
        <nav aria-label="Contents">
            <ul class="contents">
                {contents}
                <li><a href="#problems">"problems"</a></li>
                <li><a href="#shapes">"shapes"</a></li>
            </ul>
        </nav>
        {prose(&about)}
        {groups}
        <Section id="problems" title="Problems">
            <TableFrame label="Problems" stacks=true>
                <thead><tr><th scope="col" class="num">"Status"</th><th scope="col">"Means"</th></tr></thead>
                <tbody>{problems}</tbody>
            </TableFrame>
        </Section>
        <Section id="shapes" title="Shapes"><div class="stack">{shapes}</div></Section>
    }
    .piece()
}

#[component]
fn Calls(group: Group) -> impl IntoView {
    let Group { id, about, calls } = group;
    let title = {
        let mut letters = id.chars();
        letters.next().map(|first| format!("{}{}", first.to_uppercase(), letters.as_str())).unwrap_or_default()
    };
    let count = calls.len() as u64;
    let calls = calls.into_iter().map(|call| view! { <OneCall call=call/> }).collect_view();
    view! {
        <Section id=id title=title count=count>
            {prose(&about)}
            <div class="stack loose">{calls}</div>
        </Section>
    }
    .piece()
}

/// Reads are calm, changes are seen.
fn tone(method: &str) -> Tone {
    if method == "GET" { Tone::Plain } else { Tone::Note }
}

#[component]
fn OneCall(call: Call) -> impl IntoView {
    let Call { id, method, path, summary, about, parameters, body, answers, problems } = call;
    let heading = format!("{id}-title");
    let taken = (!parameters.is_empty()).then(|| view! { <Parameters of=path.clone() parameters=parameters/> });
    let body = body.map(|body| {
        view! { <p>"Takes " <OneKind kind=body.kind/> " as " <span class="types">{body.types}</span> "."</p> }
    });
    let answers = answers
        .into_iter()
        .map(|answer| {
            let Answer { status, about, kind, headers } = answer;
            let kind = (!kind.words.is_empty()).then(|| view! { " " <OneKind kind=kind/> });
            let headers =
                (!headers.is_empty()).then(|| view! { <span class="muted">{format!(" With {headers}.")}</span> });
            view! { <li><span class="ref">{status}</span> " " {line(&about)}{kind}{headers}</li> }
        })
        .collect_view();
    view! {
        <article class="panel stack reference" id=id aria-labelledby=heading>
            <h3 id=heading.clone()>{summary}</h3>
            <p class="row"><Badge tone=tone(&method)>{method}</Badge> <code>{path}</code></p>
            {prose(&about)}
            {taken}
            {body}
            <ul class="prose">{answers}</ul>
            <p class="muted small">{format!("Problems: {problems}.")}</p>
        </article>
    }
    .piece()
}

#[component]
fn Parameters(
    /// The call, for a screen reader.
    of: String,
    parameters: Vec<Parameter>,
) -> impl IntoView {
    let rows = parameters
        .into_iter()
        .map(|p| {
            let needed = if p.required { "needed" } else { "" };
            view! {
                <tr>
                    <th scope="row"><code>{p.name}</code></th>
                    <td data-label="In">{p.place} " " <span class="muted">{needed}</span></td>
                    <td data-label="Is">{p.kind}</td>
                    <td data-label="For" class="text">{line(&p.about)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame label=format!("Parameters of {of}") stacks=true>
            <thead><tr>
                <th scope="col">"Parameter"</th><th scope="col">"In"</th><th scope="col">"Is"</th><th scope="col">"For"</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}

#[component]
fn OneKind(kind: Kind) -> impl IntoView {
    let Kind { words, shape } = kind;
    if shape.is_empty() {
        view! { <span>{words}</span> }.piece()
    } else {
        view! { <a href=format!("#shape-{shape}")>{words}</a> }.piece()
    }
}

#[component]
fn OneShape(shape: Shape) -> impl IntoView {
    let Shape { name, about, values, members, example } = shape;
    let members = (!members.is_empty()).then(|| {
        let rows = members
            .into_iter()
            .map(|m| {
                let needed = if m.required { "always" } else { "" };
                view! {
                    <tr>
                        <th scope="row"><code>{m.name}</code></th>
                        <td data-label="Is"><OneKind kind=m.kind/></td>
                        <td data-label="There">{needed}</td>
                        <td data-label="Means" class="text">{line(&m.about)}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <TableFrame label=format!("Members of {name}") stacks=true>
                <thead><tr>
                    <th scope="col">"Member"</th><th scope="col">"Is"</th><th scope="col">"There"</th><th scope="col">"Means"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
    });
    let values = (!values.is_empty()).then(|| {
        let values = values.into_iter().map(|v| view! { <li><code>{v}</code></li> }).collect_view();
        view! { <ul class="prose">{values}</ul> }
    });
    let example = (!example.is_empty()).then(|| {
        view! { <div class="scroll" tabindex="0" role="region" aria-label=format!("Example of {name}")><pre>{example}</pre></div> }
    });
    let id = format!("shape-{name}");
    view! {
        <details class="panel reference" id=id>
            <summary><code>{name.clone()}</code></summary>
            <div class="stack">
                {prose(&about)}
                {values}
                {members}
                {example}
            </div>
        </details>
    }
    .piece()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_text_and_never_markup() {
        let call = Call {
            id: "read_agent".into(),
            method: "GET".into(),
            path: "/api/v1/agents/{id}".into(),
            summary: "Read <b>an</b> agent".into(),
            about: "Use `If-Match`, **always**.\n\nA second paragraph.".into(),
            ..Call::default()
        };
        let reference = Reference {
            groups: vec![Group { id: "agents".into(), about: String::new(), calls: vec![call] }],
            ..Reference::default()
        };
        let html = view! { <ApiReference reference=reference/> }.to_html();
        assert!(html.contains("Read &lt;b&gt;an&lt;/b&gt; agent"), "{html}");
        assert!(html.contains("<code>If-Match</code>") && html.contains("<strong>always</strong>"), "{html}");
        assert!(html.contains("A second paragraph."), "{html}");
    }
}
