//! The two documents: [`Layout`] with navigation, [`Plain`] without.

use leptos::nonce::use_nonce;
use leptos::prelude::*;

use super::frame::{Frame, Signed, Theme};
use super::nav::{Nav, NavGroup};
use crate::components::{Flash, Glyph, Icon, IntoPiece, Notice, Slot};

/// Every page that a signed-in person sees.
#[component]
pub fn Layout(
    /// What the document needs to know.
    frame: Frame,
    /// The command palette, when it is built.
    #[prop(optional, into)]
    palette: Option<Slot>,
    /// The page.
    children: Slot,
) -> impl IntoView {
    let theme = frame.theme;
    let Frame { path, person, nav, flash, unread, .. } = frame.clone();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=(theme != Theme::System).then_some(theme.key())>
            <Head frame=frame/>
            <body>
                <a class="skip" href="#main">"Skip to content"</a>
                <div class="app">
                    <Navigation nav=nav path=path.clone()/>
                    <header class="topbar">
                        <button type="button" class="button quiet open-nav" popovertarget="nav" aria-label="Menu">
                            <Icon glyph=Glyph::Menu/>
                            <span class="word">"Menu"</span>
                        </button>
                        <form class="find" method="get" action="/agents" role="search">
                            <Icon glyph=Glyph::Search/>
                            <input class="input" type="search" name="q" aria-label="Search agents" placeholder="Search agents"/>
                        </form>
                        <div id="palette">{palette.map(Slot::run)}</div>
                        {unread.map(bell)}
                        {person.map(|person| view! { <Who person=person theme=theme path=path/> })}
                    </header>
                    <div class="page">
                        <main id="main" tabindex="-1">
                            {flash.map(shown_once)}
                            {children.run()}
                        </main>
                        <Foot/>
                    </div>
                </div>
            </body>
        </html>
    }
    .piece()
}

/// Sign-in, set-up, and what went wrong before anybody was known: no navigation.
#[component]
pub fn Plain(
    /// What the document needs to know.
    frame: Frame,
    /// As wide as a form with two columns.
    #[prop(optional)]
    wide: bool,
    /// The page.
    children: Slot,
) -> impl IntoView {
    let theme = frame.theme;
    let flash = frame.flash.clone();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=(theme != Theme::System).then_some(theme.key())>
            <Head frame=frame/>
            <body>
                <div class="bare">
                    <main id="main" class=wide.then_some("wide")>
                        <Brand/>
                        {flash.map(shown_once)}
                        {children.run()}
                    </main>
                    <Foot/>
                </div>
            </body>
        </html>
    }
    .piece()
}

fn shown_once(flash: Flash) -> impl IntoView {
    let Flash { tone, text, link } = flash;
    view! {
        <div role="status">
            <Notice tone=tone>
                <p>{text}{link.map(|(words, href)| view! { " " <a href=href>{words}</a> })}</p>
            </Notice>
        </div>
    }
    .piece()
}

#[component]
fn Head(frame: Frame) -> impl IntoView {
    let pkg = format!("/pkg/{}", frame.version);
    let title = if frame.title.is_empty() { "Muster".to_owned() } else { format!("{} · Muster", frame.title) };
    view! {
        <head>
            <meta charset="utf-8"/>
            <title>{title}</title>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <meta name="referrer" content="same-origin"/>
            <link rel="preload" href=format!("{pkg}/fonts/inter-latin.woff2") r#as="font" r#type="font/woff2" crossorigin="anonymous"/>
            <link rel="stylesheet" href=format!("{pkg}/app.css")/>
            <link rel="icon" r#type="image/svg+xml" href=format!("{pkg}/favicon.svg")/>
            {frame.islands.then(|| islands(&pkg))}
        </head>
    }
    .piece()
}

/// What Leptos's own `HydrationScripts` writes for islands, with our addresses: load the module,
/// then wake each `leptos-island` in document order. Marks the document when it is done, so that
/// a browser test can wait for it and find a dead island.
fn islands(pkg: &str) -> impl IntoView + use<> {
    let script = format!("const PKG = {pkg:?};\n{}", include_str!("islands.js"));
    view! {
        <link rel="modulepreload" href=format!("{pkg}/app.js") nonce=use_nonce()/>
        <link rel="preload" href=format!("{pkg}/app_bg.wasm") r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
        <script type="module" nonce=use_nonce()>{script}</script>
    }
    .piece()
}

#[component]
fn Brand() -> impl IntoView {
    view! {
        <a class="brand" href="/">
            <svg viewBox="0 0 32 32" aria-hidden="true">
                <rect class="fill-accent" width="32" height="32" rx="7" fill="currentColor"></rect>
                <g fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round">
                    <path d="M7 9.5l2 2 3.5-4M7 20.5l2 2 3.5-4M17.5 10H25M17.5 21H25"></path>
                </g>
            </svg>
            "Muster"
        </a>
    }
    .piece()
}

#[component]
fn Navigation(nav: Nav, path: String) -> impl IntoView {
    let current = nav.current(&path);
    let groups = NavGroup::ALL
        .into_iter()
        .filter(|group| nav.of(*group).next().is_some())
        .map(|group| {
            let lines = nav
                .of(group)
                .map(|item| {
                    let here = (current == Some(item.href)).then_some("page");
                    let waits = (item.waits > 0).then(|| {
                        view! { <span class="waits">{waiting(item.waits)}<span class="visually-hidden">" waiting"</span></span> }
                    });
                    view! {
                        <li>
                            <a class="item" href=item.href aria-current=here>
                                <Icon glyph=item.glyph/>
                                <span>{item.label}</span>
                                {waits}
                            </a>
                        </li>
                    }
                })
                .collect_view();
            view! {
                <div class=(group == NavGroup::End).then_some("last")>
                    {group.title().map(|title| view! { <h2>{title}</h2> })}
                    <ul class="lines">{lines}</ul>
                </div>
            }
        })
        .collect_view();
    // on a narrow screen this opens from the top bar: a popover needs no JavaScript
    view! { <nav class="nav" id="nav" popover="auto" aria-label="Main"><Brand/>{groups}</nav> }.piece()
}

/// The way to one's notices, with how many are unread. The page's script keeps the number.
fn bell(unread: u64) -> impl IntoView {
    let words = match unread {
        0 => "Notices, none unread".to_owned(),
        count => format!("Notices, {} unread", waiting(count)),
    };
    let none = unread == 0;
    view! {
        <a class="button quiet bell" id="bell" href="/notices" aria-label=words>
            <Icon glyph=Glyph::Bell/>
            <span class="waits" aria-hidden="true" hidden=none>{waiting(unread)}</span>
        </a>
    }
    .piece()
}

/// A count in the navigation: what is counted only so far says so.
fn waiting(count: u64) -> String {
    if count >= 100 { "99+".to_owned() } else { count.to_string() }
}

#[component]
fn Who(person: Signed, theme: Theme, path: String) -> impl IntoView {
    let initials = initials(&person.name);
    let roles = person.roles.join(", ");
    let themes = [Theme::System, Theme::Light, Theme::Dark]
        .into_iter()
        .map(|choice| {
            let words = match choice {
                Theme::System => "System",
                Theme::Light => "Light",
                Theme::Dark => "Dark",
            };
            let pressed = if choice == theme { "true" } else { "false" };
            view! { <button name="theme" value=choice.key() aria-pressed=pressed>{words}</button> }
        })
        .collect_view();
    view! {
        <div class="who">
            <button type="button" class="button quiet" popovertarget="who" aria-label=format!("You: {}", person.name)>
                <span class="initials" aria-hidden="true">{initials}</span>
                <span class="name">{person.name.clone()}</span>
            </button>
            <div class="sheet" id="who" popover="auto">
                <div>
                    <a href=format!("/people/{}", person.reference)>{person.name}</a>
                    {(!roles.is_empty()).then(|| view! { <p class="small muted">{roles}</p> })}
                </div>
                <form method="post" action="/theme">
                    <input type="hidden" name="next" value=path/>
                    <div class="segmented" role="group" aria-label="Colours">{themes}</div>
                </form>
                <form method="post" action="/logout"><button class="button">"Sign out"</button></form>
            </div>
        </div>
    }
    .piece()
}

/// The first letters of the first and the last name.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().next());
    let first = words.next();
    first.into_iter().chain(words.next_back()).flat_map(char::to_uppercase).collect()
}

#[component]
fn Foot() -> impl IntoView {
    view! {
        <footer class="foot">
            <span>"Muster: every agent answers to someone."</span>
            <a href="/help">"Help"</a>
            <a href="/api/docs">"API"</a>
        </footer>
    }
    .piece()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::shell::render;

    fn page(islands: bool) -> crate::shell::Rendered {
        let mut frame = Frame::new("Agents <b>", "/agents/AG-1?tab=raci");
        frame.islands = islands;
        frame.theme = Theme::Dark;
        frame.version = "abc123".into();
        frame.person =
            Some(Signed { name: "Ada Maria Okafor".to_owned(), reference: "PE-1".to_owned(), roles: Vec::new() });
        frame.nav.waits("/agents", 3);
        frame.nav.hide("/audit");
        render(|| view! { <Layout frame=frame><h1>"Agents"</h1></Layout> })
    }

    #[test]
    fn a_page_is_a_whole_document() {
        let html = page(false).html;
        assert!(html.starts_with(r#"<!DOCTYPE html><html lang="en" data-theme="dark"><head>"#), "{html}");
        assert!(html.contains("<title>Agents &lt;b&gt; · Muster</title>"), "{html}");
        assert_eq!(html.matches(r#"aria-current="page""#).count(), 1, "{html}");
        assert!(html.contains("/pkg/abc123/app.css") && html.ends_with("</body></html>"), "{html}");
        assert!(!html.contains(r#"href="/audit""#) && html.contains("AO"), "{html}");
        assert!(!html.contains("<script") && !html.contains("style=\""), "{html}");
    }

    #[test]
    fn islands_are_started_by_a_script_with_the_nonce() {
        let page = page(true);
        assert!(!page.nonce.is_empty());
        assert!(page.html.contains(&format!(r#"<script type="module" nonce="{}">"#, page.nonce)), "{}", page.html);
        assert!(page.html.contains(r#"const PKG = "/pkg/abc123";"#), "{}", page.html);
        assert!(page.content_security_policy().contains(&page.nonce));
        assert_ne!(page.nonce, self::page(true).nonce);
    }
}
