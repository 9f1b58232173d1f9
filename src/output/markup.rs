//! Writes HTML: the one place that puts a text into markup.
//!
//! Names of elements and attributes are the program's own (`&'static str`). Every text and every value of an attribute is escaped,
//! so that a name from the directory stays a text; what would turn the text around is shown as its code.

use super::text::safe;

/// A piece of HTML.
#[derive(Clone, Debug, Default)]
pub struct Html(String);

/// Attributes of an element.
pub type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Html {
    pub fn open(&mut self, name: &'static str, attributes: Attributes<'_>) -> &mut Self {
        self.0.extend(["<", name]);
        for (attribute, value) in attributes {
            self.0.extend([" ", attribute, "=\""]);
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
        self
    }

    pub fn close(&mut self, name: &'static str) -> &mut Self {
        self.0.extend(["</", name, ">"]);
        // Lines of a readable length.
        if ["tr", "p", "li", "section", "table", "h2", "h3", "div", "svg"].contains(&name) {
            self.0.push('\n');
        }
        self
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        for c in safe(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// A whole element that holds a text.
    pub fn element(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) -> &mut Self {
        self.open(name, attributes).text(text).close(name)
    }

    /// A piece that was written before.
    pub fn piece(&mut self, piece: &Self) -> &mut Self {
        self.0.push_str(&piece.0);
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The template with the pieces in the places of their names, `{{name}}`. What a piece holds is never taken for a place.
pub fn filled(template: &str, pieces: &[(&str, Html)]) -> String {
    let mut out = String::with_capacity(template.len());
    let mut parts = template.split("{{");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        let piece = pieces.iter().find(|(known, _)| *known == name);
        out.push_str(piece.map(|(_, piece)| piece.0.as_str()).unwrap_or_default());
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let mut html = Html::default();
        html.element("td", &[("title", "\" onclick=\"x()")], "<script>alert('a&b')</script>");
        let expected =
            "<td title=\"&quot; onclick=&quot;x()\">&lt;script&gt;alert(&#39;a&amp;b&#39;)&lt;/script&gt;</td>";
        assert_eq!(html.0, expected);
        let mut html = Html::default();
        html.text("a\u{202e}b\u{2066}\u{0}\n");
        assert_eq!(html.0, "a\\u{202e}b\\u{2066}\\u{0}\\u{a}");
    }

    #[test]
    fn a_name_is_no_place_of_a_template() {
        let mut hostile = Html::default();
        hostile.text("{{b}}");
        let mut b = Html::default();
        b.text("B");
        assert_eq!(filled("<i>{{a}}</i>{{b}}{{c}}!", &[("a", hostile), ("b", b)]), "<i>{{b}}</i>B!");
    }
}
