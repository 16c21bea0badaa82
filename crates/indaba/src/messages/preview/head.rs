//! What a page says of itself in its head: `<title>`, and the `<meta>` of Open Graph and Twitter. No tree is built and nothing is run: tags
//! are walked once, from the first byte to `<body>`, and everything else is passed over. Whatever comes in, texts come out, and short ones.
use super::LONGEST_LINK;
use encoding_rs::{Encoding, UTF_8};

const LONGEST_TITLE: usize = 200;
const LONGEST_DESCRIPTION: usize = 400;
const LONGEST_SITE: usize = 80;
/// As much of a text as is read for one of these, in bytes: every sign of the longest may be written as a number.
const MOST_RAW: usize = 8 * 1024;

/// A page in a few words.
#[derive(Debug, Default, PartialEq)]
pub struct Head {
    pub title: Option<String>,
    pub description: Option<String>,
    pub site: Option<String>,
    /// As it is written there: perhaps relative.
    pub picture: Option<String>,
}

/// Bytes as text: in the character set that the answer names, or its first kilobyte, else UTF-8. What is no text becomes U+FFFD.
pub fn decode(bytes: &[u8], content_type: &str) -> String {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let named = |text: &str| {
        let (_, after) = text.split_once("charset=")?;
        let label = after.trim_start_matches(['"', '\'', ' ']);
        let end = label.find(|c: char| !c.is_ascii_alphanumeric() && !"-_:.".contains(c)).unwrap_or(label.len());
        Encoding::for_label(&label.as_bytes()[..end])
    };
    let set = named(&content_type.to_ascii_lowercase()).or_else(|| named(&start)).unwrap_or(UTF_8);
    set.decode(bytes).0.into_owned()
}

/// Reads the head of a page.
pub fn read(html: &str) -> Head {
    let mut plain = Head::default();
    let mut graph = Head::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix("!--") {
            rest = after.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            continue; // `</…>`, `<!doctype>`, or a sign that is no tag
        }
        let (given, after) = attributes(after);
        rest = after;
        match name.to_ascii_lowercase().as_str() {
            "body" => break,
            "title" => {
                let (text, after) = until(rest, "</title");
                plain.title = plain.title.or_else(|| clean(text, LONGEST_TITLE));
                rest = after;
            }
            "script" => rest = until(rest, "</script").1,
            "style" => rest = until(rest, "</style").1,
            "meta" => meta(&given, &mut plain, &mut graph),
            _ => {}
        }
    }
    Head {
        title: graph.title.or(plain.title),
        description: graph.description.or(plain.description),
        site: graph.site,
        picture: graph.picture,
    }
}

fn meta(given: &[(&str, &str)], plain: &mut Head, graph: &mut Head) {
    let of = |name: &str| given.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
    let (Some(name), Some(value)) = (of("property").or(of("name")), of("content")) else { return };
    let (place, longest) = match name.to_ascii_lowercase().as_str() {
        "og:title" | "twitter:title" => (&mut graph.title, LONGEST_TITLE),
        "og:description" | "twitter:description" => (&mut graph.description, LONGEST_DESCRIPTION),
        "description" => (&mut plain.description, LONGEST_DESCRIPTION),
        "og:site_name" => (&mut graph.site, LONGEST_SITE),
        "og:image" | "og:image:url" | "og:image:secure_url" | "twitter:image" | "twitter:image:src" => {
            let link = value.trim(); // entities are never shorter than what they stand for
            if graph.picture.is_none() && (1..=LONGEST_LINK).contains(&link.len()) {
                graph.picture = Some(entities(link));
            }
            return;
        }
        _ => return,
    };
    if place.is_none() {
        *place = clean(value, longest);
    }
}

/// The attributes of a tag, and what follows it. A `>` inside quotes does not end it.
fn attributes(mut rest: &str) -> (Vec<(&str, &str)>, &str) {
    let mut given = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/' || c == '=');
        if rest.is_empty() || rest.starts_with('>') {
            return (given, rest.strip_prefix('>').unwrap_or(rest));
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace() || "=>/".contains(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        rest = after.trim_start();
        let Some(after) = rest.strip_prefix('=') else {
            given.push((name, ""));
            continue;
        };
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, after) = match quote {
            Some(quote) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
            None => after.split_at(after.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(after.len())),
        };
        given.push((name, value));
        rest = after;
    }
}

/// What stands before a closing tag, in letters of either size, and what follows from it on; all of it if there is none.
fn until<'a>(text: &'a str, closing: &str) -> (&'a str, &'a str) {
    let bytes = text.as_bytes();
    let at = bytes.windows(closing.len()).position(|window| window.eq_ignore_ascii_case(closing.as_bytes()));
    at.map_or((text, ""), |at| text.split_at(at))
}

/// A text of one line: no control characters, none that turn the direction of writing, at most `most` characters. Of a long one, the first
/// [`MOST_RAW`] bytes are read.
fn clean(text: &str, most: usize) -> Option<String> {
    let turns = |c: &char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text = &text[..text.floor_char_boundary(MOST_RAW)];
    let text: String = entities(text).chars().filter(|c| !turns(c) && (!c.is_control() || c.is_whitespace())).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= most {
        return (!line.is_empty()).then_some(line);
    }
    let cut: String = line.chars().take(most - 1).collect();
    Some(format!("{}…", cut.trim_end()))
}

/// `&amp;` as `&`: the names that titles use, and every number.
fn entities(text: &str) -> String {
    const NAMES: &[(&str, char)] = &[
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", ' '),
        ("ndash", '–'),
        ("mdash", '—'),
        ("hellip", '…'),
        ("lsquo", '‘'),
        ("rsquo", '’'),
        ("ldquo", '“'),
        ("rdquo", '”'),
        ("laquo", '«'),
        ("raquo", '»'),
        ("middot", '·'),
        ("bull", '•'),
        ("copy", '©'),
        ("reg", '®'),
        ("trade", '™'),
        ("euro", '€'),
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        // not further than the longest name: a text of `&` alone would be read once for each
        let name = rest.bytes().take(11).position(|byte| byte == b';').map(|end| &rest[..end]);
        let sign = name.and_then(|name| match name.strip_prefix('#') {
            Some(digits) => {
                let hex = digits.strip_prefix(['x', 'X']);
                let code = hex.map_or_else(|| digits.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
                code.and_then(char::from_u32).filter(|c| *c != '\0')
            }
            None => NAMES.iter().find(|(known, _)| *known == name).map(|(_, sign)| *sign),
        });
        match (sign, name) {
            (Some(sign), Some(name)) => {
                out.push(sign);
                rest = &rest[name.len() + 1..];
            }
            _ => out.push('&'),
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_page_is_read_by_what_it_says_of_itself() {
        let page = r#"<!DOCTYPE html><html><head><!-- <title>No</title> --><TITLE
            lang=en>Plain &amp;
            simple</TITLE><script>"<meta property='og:title' content='No'>"</script>
            <meta name=description content=short><meta content='The &#x27;flat&#39; &gt; house' property="og:title">
            <meta property=og:site_name content="Kusasa"/><meta property="og:image" content="/a.jpg?x=1&amp;y=2">
            <meta name="twitter:title" content="Later"><link title="a > b"></head><body><meta property="og:image" content="no">"#;
        let head = read(page);
        assert_eq!(head.title, some("The 'flat' > house"));
        assert_eq!((head.description, head.site), (some("short"), some("Kusasa")));
        assert_eq!(head.picture, some("/a.jpg?x=1&y=2"));
        assert_eq!(read("<title>Plain &amp;\n simple</title>").title, some("Plain & simple"));
        assert_eq!(read("<title><script>alert(1)</script></title>").title, some("<script>alert(1)</script>"));
    }

    #[test]
    fn what_is_no_head_says_nothing() {
        for text in [
            "",
            "<",
            "<title>",
            "<title> \u{202e} </title>",
            "<meta property=og:title>",
            "</title>",
            "<!--",
            "<meta '",
            "<<<>>>",
        ] {
            assert_eq!(read(text).title, None, "{text}");
        }
        let long = read(&format!("<title>{}</title>", "é".repeat(9_999))).title.unwrap();
        assert!(long.chars().count() <= LONGEST_TITLE && long.ends_with('…'));
        assert_eq!(read("<title>a\u{202e}b\u{0}c&#0;&#xd800;&nope;</title>").title, some("abc&#0;&#xd800;&nope;"));
    }

    #[test]
    fn a_text_of_hostile_size_is_read_only_so_far() {
        let after = |most: usize| read(&format!("<title>{}Late</title>", " ".repeat(most))).title;
        assert_eq!((after(MOST_RAW - 4), after(MOST_RAW)), (some("Late"), None));
        for sign in ["&", "&amp;", "&#38;", "é"] {
            let long = sign.repeat((512 << 10) / sign.len());
            short(&read(&format!("<title>{long}</title><meta name=description content='{long}'>")));
            assert_eq!(read(&format!("<meta property=og:image content='{long}'>")).picture, None);
        }
        let signs = "&".repeat(512 << 10);
        assert!(entities(&signs) == signs);
        // what counts is what is written there, before anything is made of it
        let link = |signs| read(&format!("<meta property=og:image content='{}'>", "&amp;".repeat(signs))).picture;
        assert_eq!((link(400).map(|link| link.len()), link(401)), (Some(400), None));
        assert_eq!((entities("&#000000038;é"), entities("&#0000000038;")), ("&é".into(), "&#0000000038;".into()));
    }

    #[test]
    fn the_character_set_is_what_the_answer_or_the_page_names() {
        let latin = b"<meta charset='iso-8859-1'><title>Caf\xe9</title>";
        assert_eq!(read(&decode(latin, "text/html")).title, some("Café"));
        assert_eq!(read(&decode(b"<title>Caf\xe9</title>", "text/html; charset=windows-1252")).title, some("Café"));
        assert_eq!(read(&decode(b"<title>Caf\xe9</title>", "text/html; charset=klingon")).title, some("Caf\u{fffd}"));
        assert_eq!(read(&decode("<title>Café</title>".as_bytes(), "text/html")).title, some("Café"));
    }

    proptest! {
        #[test]
        fn nothing_that_comes_in_breaks_it(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), kind in ".{0,40}") {
            short(&read(&decode(&bytes, &kind)));
        }

        #[test]
        fn nor_what_looks_like_a_page(parts in proptest::collection::vec(
            prop::sample::select(vec![
                "<", ">", "<title", "</title", "<meta ", "property=", "content=", "og:title", "og:image", "'", "\"", "=", "/", " ", "<!--", "-->",
                "<script>", "</SCRIPT", "<body", "&#", "&amp;", ";", "x", "é", "\u{202e}", "charset=", "&#x10ffff;",
            ]), 0..200)) {
            short(&read(&parts.concat()));
        }
    }

    fn short(head: &Head) {
        let within =
            |text: &Option<String>, most| text.as_deref().is_none_or(|text| (1..=most).contains(&text.chars().count()));
        assert!(within(&head.title, LONGEST_TITLE) && within(&head.description, LONGEST_DESCRIPTION));
        assert!(within(&head.site, LONGEST_SITE) && within(&head.picture, LONGEST_LINK));
    }
}
