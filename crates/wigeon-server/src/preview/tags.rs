//! What of a page's tags a preview is made from: its metas and its title. Whatever the bytes are, there is an
//! end to them, and no step of it panics.

use std::collections::BTreeMap;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{HtmlString, Spanned, Token, Tokenizer};

/// A piece of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// A `meta`.
    Meta(Meta),
    /// What stands in a `title`.
    Title(String),
    /// The head is over.
    Body,
}

/// What a `meta` says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Meta {
    attributes: BTreeMap<String, String>,
}

impl Meta {
    /// Its name and what it says: `property` as Open Graph has it, `name` as everybody else.
    pub(super) fn said(&self) -> Option<(String, &str)> {
        let name = self.attributes.get("property").or_else(|| self.attributes.get("name"))?;
        Some((name.trim().to_ascii_lowercase(), self.attributes.get("content")?))
    }

    /// The encoding it declares.
    pub(super) fn charset(&self) -> Option<String> {
        if let Some(label) = self.attributes.get("charset") {
            return Some(label.clone());
        }
        let about = self.attributes.get("http-equiv")?;
        if !about.eq_ignore_ascii_case("content-type") {
            return None;
        }
        charset_of(self.attributes.get("content")?)
    }
}

/// The `charset` of a media type.
pub(super) fn charset_of(media_type: &str) -> Option<String> {
    let mut parameters = media_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, label) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(label.trim().trim_matches(['"', '\'']).to_owned())
}

/// The pieces of a page, in their order.
pub(super) fn tags(html: &str) -> impl Iterator<Item = Tag> {
    let mut emitter = DefaultEmitter::default();
    // What stands in scripts, styles and titles is no markup.
    emitter.naively_switch_states(true);
    let mut tokens = Tokenizer::new_with_emitter(html, emitter);
    std::iter::from_fn(move || {
        loop {
            let Ok(token) = tokens.next()?;
            match token {
                Token::StartTag(tag) if *tag.name == b"meta" => return Some(Tag::Meta(meta(tag.attributes))),
                Token::StartTag(tag) if *tag.name == b"title" => return Some(Tag::Title(title(&mut tokens))),
                Token::StartTag(tag) if *tag.name == b"body" => return Some(Tag::Body),
                _ => {}
            }
        }
    })
}

fn meta(attributes: BTreeMap<HtmlString, Spanned<HtmlString, ()>>) -> Meta {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Meta { attributes: attributes.iter().map(|(name, value)| (text(name), text(value))).collect() }
}

/// The text up to the end of a title, or of the page.
fn title(tokens: &mut impl Iterator<Item = Result<Token<()>, std::convert::Infallible>>) -> String {
    let mut title = String::new();
    for Ok(token) in tokens {
        match token {
            Token::String(text) => title.push_str(&String::from_utf8_lossy(&text)),
            Token::EndTag(_) => break,
            _ => {}
        }
    }
    title
}
