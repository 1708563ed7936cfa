//! What a page says of itself, as a preview: Open Graph first, then what Twitter made of it, then what HTML
//! always had.

use std::collections::HashMap;

use serde::Serialize;
use url::Url;
use wigeon_proto::error::WireError;
use wigeon_proto::limits::{
    PREVIEW_DESCRIPTION_CHARS_MAX, PREVIEW_SITE_CHARS_MAX, PREVIEW_TITLE_CHARS_MAX, PREVIEW_URL_BYTES_MAX,
};

use super::address::is_public;
use super::charset::decode;
use super::failure::Failure;
use super::tags::{Tag, tags};
use super::text::line;

/// What is shown of a link.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Preview {
    /// Where it was found, after redirects.
    pub(super) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) site_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<String>,
    /// Why there is nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<WireError>,
}

impl Preview {
    /// That of an image, which is all there is to show.
    pub(super) fn of_image(url: &Url) -> Self {
        Self { image: Some(url.to_string()), ..Self::nothing(url) }
    }

    /// That of a link of which nothing can be shown.
    pub(super) fn without(url: &Url, failure: Failure) -> Self {
        Self { error: Some(failure.into()), ..Self::nothing(url) }
    }

    fn nothing(url: &Url) -> Self {
        Self {
            url: url.to_string(),
            title: None,
            description: None,
            site_name: None,
            image: None,
            error: None,
        }
    }
}

/// Reads a page, or as much of it as came. `None` where it says nothing of itself.
pub(super) fn read(bytes: &[u8], charset: Option<&str>, url: &Url) -> Option<Preview> {
    let html = decode(bytes, charset);
    let mut said: HashMap<String, String> = HashMap::new();
    for tag in tags(&html) {
        match tag {
            Tag::Meta(meta) => {
                // What is said twice, is said by the first: a page's own head stands before what it quotes.
                if let Some((name, value)) = meta.said().filter(|(_, value)| !value.trim().is_empty()) {
                    said.entry(name).or_insert_with(|| value.to_owned());
                }
            }
            Tag::Title(title) => {
                said.entry("title".into()).or_insert(title);
            }
            // Pages without a head's end are read on, until there is something to show.
            Tag::Body if said.contains_key("title") || said.contains_key("og:title") => break,
            Tag::Body => {}
        }
    }
    let first =
        |names: &[&str], chars_max: usize| names.iter().find_map(|name| line(said.get(*name)?, chars_max));
    let title = first(&["og:title", "twitter:title", "title"], PREVIEW_TITLE_CHARS_MAX);
    let about = ["og:description", "twitter:description", "description"];
    let description =
        first(&about, PREVIEW_DESCRIPTION_CHARS_MAX).filter(|text| title.as_ref() != Some(text));
    let images = ["og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src"];
    let preview = Preview {
        title,
        description,
        site_name: first(&["og:site_name", "application-name"], PREVIEW_SITE_CHARS_MAX),
        image: images.iter().find_map(|name| image(said.get(*name)?, url)),
        ..Preview::nothing(url)
    };
    (preview.title.is_some() || preview.description.is_some() || preview.image.is_some()).then_some(preview)
}

/// Where an image is, if it is somewhere a reader's browser may be sent.
fn image(text: &str, page: &Url) -> Option<String> {
    let url = page.join(text.trim()).ok()?;
    let fit = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.as_str().len() <= PREVIEW_URL_BYTES_MAX;
    // A page of the internet has no business with what is near the reader; one near the server may.
    let near = |url: &Url| match url.host() {
        Some(url::Host::Ipv4(address)) => !is_public(address.into()),
        Some(url::Host::Ipv6(address)) => !is_public(address.into()),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => true,
    };
    (fit && (!near(&url) || near(page))).then(|| url.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url() -> Url {
        Url::parse("https://example.com/a/b?c").unwrap()
    }

    fn preview(html: &str) -> Option<Preview> {
        read(html.as_bytes(), Some("utf-8"), &url())
    }

    fn title(html: &str) -> Option<String> {
        preview(html)?.title
    }

    #[test]
    fn open_graph_comes_before_twitter_and_that_before_html() {
        let whole = "<html><head><title>T</title><meta name=description content=D>\
            <meta name='twitter:title' content='TT'><meta name='twitter:description' content='TD'>\
            <meta property='og:title' content='OT'><meta property='og:description' content='OD'>\
            <meta property='og:site_name' content='OS'><meta property='og:image' content='/i.png'></head><body>";
        let wanted = Preview {
            url: "https://example.com/a/b?c".into(),
            title: Some("OT".into()),
            description: Some("OD".into()),
            site_name: Some("OS".into()),
            image: Some("https://example.com/i.png".into()),
            error: None,
        };
        assert_eq!(preview(whole), Some(wanted));
        let twitter = preview(&whole.replace("og:", "x:")).unwrap();
        assert_eq!((twitter.title.unwrap(), twitter.description.unwrap()), ("TT".into(), "TD".into()));
        let plain = preview(&whole.replace("og:", "x:").replace("twitter:", "y:")).unwrap();
        assert_eq!((plain.title.unwrap(), plain.description.unwrap()), ("T".into(), "D".into()));
    }

    #[test]
    fn a_page_in_gbk_is_read() {
        let page = b"<html><head><meta charset=\"gbk\"><title>\xd1\xbc\xd7\xd3</title></head>";
        assert_eq!(read(page, None, &url()).unwrap().title.unwrap(), "鸭子");
    }

    #[test]
    fn entities_are_what_they_stand_for() {
        assert_eq!(
            title("<title>a &lt;b&gt; &amp;amp; &#x9e2d;&nbsp;&hellip;</title>").unwrap(),
            "a <b> &amp; 鸭 …"
        );
        let meta = preview("<meta property=og:title content='&quot;x&#39;&eacute;'>").unwrap();
        assert_eq!(meta.title.unwrap(), "\"x'é");
    }

    #[test]
    fn broken_pages_say_what_they_can() {
        assert_eq!(title("<title>no head, no end").unwrap(), "no head, no end");
        assert_eq!(title("<body><p>x<title>late</title>").unwrap(), "late");
        assert_eq!(title("<head><title>one</title><body><svg><title>two</title></svg>").unwrap(), "one");
        assert_eq!(
            title("<script>'<title>no</title>'</script><!-- <title>no</title> --><title>yes</title>")
                .unwrap(),
            "yes"
        );
        assert_eq!(title("<title>a<b>b</b></title>").unwrap(), "a<b>b</b>");
        assert_eq!(title("<meta property=\"og:title\" content=\"\"><title>t").unwrap(), "t");
        assert_eq!(title("<meta property='og:title' property='x' content=a content=b>").unwrap(), "a");
        assert_eq!(title("<META PROPERTY='OG:Title' CONTENT=a>").unwrap(), "a");
        for nothing in ["", "<title> \n </title>", "<p>text", "<meta name=viewport content=x>", "\0\0<\0"] {
            assert_eq!(preview(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn what_is_long_is_cut() {
        let long = format!("<title>{0}</title><meta name=description content='{0}'>", "鸭".repeat(100_000));
        let preview = preview(&long).unwrap();
        assert_eq!(preview.title.unwrap().chars().count(), PREVIEW_TITLE_CHARS_MAX);
        assert_eq!(preview.description.unwrap().chars().count(), PREVIEW_DESCRIPTION_CHARS_MAX);
    }

    #[test]
    fn a_description_that_repeats_the_title_is_left_out() {
        let preview = preview("<title>x</title><meta name=description content=' x '>").unwrap();
        assert_eq!(preview.description, None);
    }

    #[test]
    fn images_are_where_a_browser_may_be_sent() {
        let of = |content: &str| {
            preview(&format!("<title>t</title><meta property=og:image content='{content}'>")).unwrap().image
        };
        assert_eq!(of("//cdn.example/i.png").unwrap(), "https://cdn.example/i.png");
        assert_eq!(of("i.png").unwrap(), "https://example.com/a/i.png");
        assert_eq!(of("http://8.8.8.8/i.png").unwrap(), "http://8.8.8.8/i.png");
        for bad in [
            "javascript:alert(1)",
            "data:image/png;base64,AA",
            "file:///etc/passwd",
            "https://a:b@example.com/",
            "http://192.168.0.1/reboot",
            "http://0x7f.1/",
            "http://[::1]/",
            "http://localhost:8088/",
            "http://",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
        assert_eq!(of(&format!("/{}", "a".repeat(PREVIEW_URL_BYTES_MAX))), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_stumble(bytes in proptest::collection::vec(any::<u8>(), 0..2000), charset in "[a-z0-9-]{0,12}") {
            read(&bytes, Some(&charset), &url());
            read(&bytes, None, &url());
        }

        #[test]
        fn no_tags_make_it_stumble(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just("<meta "), Just("property=og:title"), Just(" content='"), Just("charset="), Just(">"), Just("<title"),
                    Just("</title>"), Just("&#"), Just("&amp"), Just("x1114112;"), Just("<!--"), Just("<![CDATA["), Just("<body>"),
                    Just("<script>"), Just("</"), Just("'"), Just("\""), Just("鸭"), Just("\u{202e}"), Just("\0"), Just("gbk"),
                ],
                0..60,
            ),
        ) {
            let html = pieces.concat();
            if let Some(preview) = read(html.as_bytes(), None, &url()) {
                prop_assert!(preview.title.is_none_or(|title| title.chars().count() <= PREVIEW_TITLE_CHARS_MAX));
            }
        }
    }
}
