//! A chart of the accounts by platform role and status, before and after a plan, as SVG.

use super::markup::Html;
use super::text::count;
use crate::model::PlatformRole;
use crate::model::activepieces::{Census, Headcount};
use crate::plan::Plan;

/// The width of the longest bar, of the labels before it, and of one bar with the gap after it.
const WIDEST: usize = 400;
const LABEL: usize = 150;
const ROW: usize = 26;

/// A bar: a role before or after the plan.
struct Bar {
    label: String,
    count: Headcount,
    /// Whether another role begins.
    is_first: bool,
}

/// The chart with its table; empty where the plan has no counts.
pub fn of(plan: &Plan) -> Html {
    let (before, after) = (&plan.standing.accounts, plan.accounts_after());
    let mut html = Html::default();
    if before.is_empty() {
        return html;
    }
    let bars = bars(before, &after);
    html.open("figure", &[]);
    html.element("figcaption", &[], "Accounts by platform role and status, before and after");
    html.piece(&svg(&bars)).piece(&table(&bars));
    html.close("figure");
    html
}

/// The known roles from the mightiest to the least, then those that the server holds besides.
fn bars(before: &Census, after: &Census) -> Vec<Bar> {
    let known = PlatformRole::ALL.map(PlatformRole::as_str);
    let others = before.keys().map(String::as_str).filter(|role| !known.contains(role));
    let bar = |role: &str, census: &Census, when: &str| Bar {
        label: format!("{role} {when}"),
        count: census.get(role).copied().unwrap_or_default(),
        is_first: when == "before",
    };
    let roles = known.into_iter().chain(others);
    roles.flat_map(|role| [bar(role, before, "before"), bar(role, after, "after")]).collect()
}

fn svg(bars: &[Bar]) -> Html {
    let largest =
        bars.iter().map(|bar| bar.count.active.saturating_add(bar.count.inactive)).max().unwrap_or_default().max(1);
    let height = bars.len() * ROW + bars.iter().filter(|bar| bar.is_first).count() * ROW / 2;
    let view = format!("0 0 {} {height}", LABEL + WIDEST + 190);
    let mut svg = Html::default();
    svg.open("svg", &[("viewBox", &view), ("role", "img"), ("aria-labelledby", "chart-title")]);
    svg.element("title", &[("id", "chart-title")], "Bar chart; the table after it has the same numbers");
    let mut y = 0;
    for bar in bars {
        y += if bar.is_first { ROW / 2 } else { 0 };
        let (active, inactive) = (wide(bar.count.active, largest), wide(bar.count.inactive, largest));
        let baseline = (y + 15).to_string();
        svg.element("text", &[("x", "0"), ("y", &baseline)], &bar.label);
        rectangle(&mut svg, "active", LABEL, y, active);
        rectangle(&mut svg, "inactive", LABEL + active, y, inactive);
        let end = (LABEL + active + inactive + 8).to_string();
        let numbers = format!("{} active, {} inactive", count(bar.count.active), count(bar.count.inactive));
        svg.element("text", &[("x", &end), ("y", &baseline)], &numbers);
        y += ROW;
    }
    svg.close("svg");
    svg
}

fn rectangle(svg: &mut Html, class: &str, x: usize, y: usize, width: usize) {
    if width > 0 {
        let (x, y, width) = (x.to_string(), y.to_string(), width.to_string());
        svg.element("rect", &[("class", class), ("x", &x), ("y", &y), ("width", &width), ("height", "20")], "");
    }
}

/// The width for so many of the largest number: none only for none.
fn wide(number: usize, largest: usize) -> usize {
    (number.saturating_mul(WIDEST) / largest).max(usize::from(number > 0) * 2)
}

fn table(bars: &[Bar]) -> Html {
    let mut table = Html::default();
    table.open("table", &[("class", "numbers")]);
    table.element("caption", &[], "The same in numbers").open("thead", &[]).open("tr", &[]);
    for column in ["Role", "Active", "Inactive"] {
        table.element("th", &[("scope", "col")], column);
    }
    table.close("tr").close("thead").open("tbody", &[]);
    for bar in bars {
        table.open("tr", &[]).element("th", &[("scope", "row")], &bar.label);
        for number in [bar.count.active, bar.count.inactive] {
            table.element("td", &[("class", "number")], &count(number));
        }
        table.close("tr");
    }
    table.close("tbody").close("table");
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_number_has_a_bar_and_none_has_none() {
        assert_eq!([0, 1, 500_000, 1_000_000].map(|number| wide(number, 1_000_000)), [0, 2, 200, 400]);
    }

    #[test]
    fn a_role_that_only_the_server_knows_is_shown_and_escaped() {
        let count = |active, inactive| Headcount { active, inactive };
        let mut plan = Plan::default();
        assert!(of(&plan).is_empty());
        plan.standing.accounts = Census::from([("<b>".to_owned(), count(1, 2)), ("ADMIN".to_owned(), count(1, 0))]);
        let html = format!("{:?}", of(&plan));
        assert!(html.contains("&lt;b&gt; before") && !html.contains("<b>"), "{html}");
        assert!(html.contains("1 active, 2 inactive") && html.contains("OPERATOR after"), "{html}");
    }
}
