//! What each key does, and what is drawn of it.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::Color;
use serde_json::{Value, json};

use super::*;
use crate::plan::guard::Over;

fn user(action: &str, name: &str, account: Option<&str>, role: Option<&str>, changes: &Value) -> Value {
    json!({"action": action, "user_name": format!("{name}@x.io"), "okta_id": format!("00u{name}"), "account": account,
        "changes": changes, "reason": if action == "deactivate" { json!({"left": "suspended"}) } else { json!("profile") },
        "attributes": role.map(|role| json!({"platformRole": role}))})
}

/// Creates ada for the new project Sales, suspends rita who leaves Ops, and makes 名 ADMIN.
fn plan() -> Plan {
    let member = |name: &str, account: Option<&str>| json!({"user_name": format!("{name}@x.io"), "okta_id": format!("00u{name}"), "account": account});
    let removal = json!({"user_name": "rita@x.io", "account": "r", "reason": "suspended in Okta", "okta_id": "00urita",
        "closed": "by_this_plan"});
    let plan = json!({
        "users": [
            user("create", "ada", None, Some("MEMBER"), &json!([{"attribute": "givenName", "from": null, "to": "Ada"}])),
            user("update", "名", Some("m"), Some("ADMIN"), &json!([{"attribute": "platformRole", "from": "MEMBER", "to": "ADMIN"}])),
            user("deactivate", "rita", Some("r"), None, &json!([{"attribute": "active", "from": "true", "to": "false"}])),
        ],
        "projects": [
            {"name": "Ops", "group": "00gops", "project": "p1", "action": "members", "members": 3, "add": [member("名", Some("m"))],
                "remove": [removal]},
            {"name": "Sales", "group": "00gsales", "project": null, "action": "create", "add": [member("ada", None), member("名", Some("m"))],
                "remove": []},
        ],
        "problems": [], "warnings": [], "standing": serde_json::to_value(crate::plan::op::Standing::default()).unwrap(),
    });
    serde_json::from_value(plan).unwrap()
}

/// More than one deactivation is refused.
fn guard(plan: &Plan) -> Vec<Refusal> {
    let over = |number| Over { number, allowed: 0, limit: "0".to_owned(), of: 3 };
    let number = plan.totals().deactivate;
    (number > 0).then(|| Refusal::MaxDeactivations(over(number))).into_iter().collect()
}

fn walk(plan: &Plan) -> Walk<'_> {
    Walk::new(Document::of_plan(plan, "", ("acme.okta.com", "ap.example.com")), &guard, None)
}

fn typed(walk: &mut Walk<'_>, keys: &str) {
    keys.chars().for_each(|c| assert_eq!(walk.press(Key::Char(c)), None, "{c}"));
}

fn buffer(walk: &mut Walk<'_>, width: u16, height: u16, colours: bool) -> Buffer {
    walk.take(Input::Resize(width, height));
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    draw::draw(walk, &mut buffer, colours);
    buffer
}

/// The rows of the screen. What a wide character covers is left out.
fn drawn(walk: &mut Walk<'_>, width: u16, height: u16) -> Vec<String> {
    let buffer = buffer(walk, width, height, true);
    let row = |y| {
        let mut row = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            x += u16::try_from(textwrap::core::display_width(symbol).max(1)).unwrap();
        }
        row.trim_end().to_owned()
    };
    (0..height).map(row).collect()
}

/// The changes that are left, by the marks and names of the list.
fn marks(walk: &mut Walk<'_>) -> Vec<String> {
    let rows = drawn(walk, 100, 30);
    let marks = rows.iter().filter_map(|row| row.get(2..).filter(|row| row.starts_with('[')));
    marks
        .map(|row| {
            row.split_whitespace().take(if row.starts_with("[ ]") { 5 } else { 4 }).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[test]
fn admins_come_first_then_what_is_taken_away() {
    let plan = plan();
    let all = marks(&mut walk(&plan));
    let expected = [
        "[x] ! 名@x.io becomes",
        "[x] - deactivate rita@x.io",
        "[x] - remove rita@x.io",
        "[x] + create ada@x.io",
        "[x] + create Sales",
        "[x] + add 名@x.io",
        "[x] + add ada@x.io",
        "[x] + add 名@x.io",
    ];
    assert_eq!(all, expected);
}

#[test]
fn what_depends_on_a_change_goes_and_comes_back_with_it() {
    let plan = plan();
    let mut walk = walk(&plan);
    typed(&mut walk, "jjj ");
    let why = "leaves 1 more change out: a member is added only together with the operation that makes the account";
    assert_eq!(walk.message.as_deref(), Some(why));
    let marks = marks(&mut walk);
    assert_eq!((marks[3].as_str(), marks[6].as_str()), ("[ ] + create ada@x.io", "[-] + add ada@x.io"));
    assert!(walk.rest().users.len() == 2 && walk.rest().projects[1].add.len() == 1);
    typed(&mut walk, "jjj ");
    assert!(walk.message.as_deref().unwrap().starts_with("left out with another change: a member is added"));
    typed(&mut walk, "kkk ");
    assert_eq!((walk.message.as_deref(), walk.rest()), (Some("takes 1 more change in"), &plan));
}

#[test]
fn the_members_of_a_new_project_go_with_it_and_a_removal_with_its_deactivation() {
    let plan = plan();
    let mut walk = walk(&plan);
    typed(&mut walk, "j jjj ");
    let rest = walk.rest();
    assert_eq!((rest.users.len(), rest.projects.len(), rest.totals().members_remove), (2, 1, 0), "{rest:#?}");
    assert!(walk.message.as_deref().unwrap().contains("together with the project itself"));
    typed(&mut walk, "kkk ");
    let totals = walk.rest().totals();
    assert_eq!((totals.deactivate, totals.members_remove), (1, 1));
}

#[test]
fn the_headline_and_the_guards_follow_the_rest() {
    let plan = plan();
    let mut walk = walk(&plan);
    let before = drawn(&mut walk, 100, 30).join("\n");
    assert!(
        before.contains("takes away  1 deactivation") && before.contains("refused     1 deactivation is"),
        "{before}"
    );
    typed(&mut walk, "j ");
    let after = drawn(&mut walk, 100, 30).join("\n");
    assert!(!after.contains("takes away") && !after.contains("refused") && after.contains("1 new ADMIN"), "{after}");
}

#[test]
fn a_search_and_a_filter_narrow_the_list_and_all_of_the_shown_is_left_out_at_once() {
    let plan = plan();
    let mut walk = walk(&plan);
    typed(&mut walk, "/SAles");
    assert_eq!(walk.shown.len(), 3);
    walk.press(Key::Enter);
    typed(&mut walk, "a");
    assert!(walk.rest().projects.len() == 1 && walk.left_out.len() == 3);
    typed(&mut walk, "a");
    assert_eq!(walk.rest(), &plan);
    walk.press(Key::Escape);
    assert_eq!(walk.shown.len(), 8);
    typed(&mut walk, "fj");
    walk.press(Key::Enter);
    assert_eq!((walk.filter.name(), walk.shown.len()), ("create", 1));
    typed(&mut walk, " f");
    let last = walk.filters().len() - 1;
    walk.press(Key::End);
    assert_eq!(walk.mode, Mode::Kinds(walk.filters(), last));
    walk.press(Key::Enter);
    assert_eq!((walk.filter.name(), walk.shown.len()), ("left out", 2));
    typed(&mut walk, "/名");
    assert!(walk.shown.is_empty() && drawn(&mut walk, 60, 15).join("\n").contains("nothing is found"));
}

#[test]
fn an_open_change_says_what_and_why_and_what_else_its_user_gets() {
    let plan = plan();
    let mut walk = walk(&plan);
    typed(&mut walk, "j");
    walk.press(Key::Enter);
    let text = drawn(&mut walk, 80, 40).join("\n");
    for part in
        ["- deactivate rita@x.io", "active → inactive", "suspended in Okta", "- remove from project Ops", "account r"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(walk.press(Key::Char('q')), None, "goes back first");
    typed(&mut walk, "jjjj");
    walk.press(Key::Enter);
    let low = drawn(&mut walk, 60, 15);
    walk.press(Key::End);
    assert_ne!(low, drawn(&mut walk, 60, 15), "it scrolls");
}

#[test]
fn an_open_change_of_a_new_account_has_its_name_whatever_the_role() {
    let mut plan = plan();
    for role in ["MEMBER", "ADMIN"] {
        let changes = json!([{"attribute": "platformRole", "from": null, "to": role}, {"attribute": "givenName", "from": null, "to": "Ada"}]);
        plan.users[0] = serde_json::from_value(user("create", "ada", None, Some(role), &changes)).unwrap();
        let mut walk = walk(&plan);
        typed(&mut walk, "/ada");
        walk.press(Key::Enter);
        walk.press(Key::Enter);
        let text = drawn(&mut walk, 80, 40).join("\n");
        assert!(text.contains("givenName"), "{role}: {text}");
    }
}

#[test]
fn a_search_finds_each_kind_of_change_by_the_okta_id_too() {
    let plan = plan();
    for (id, found) in [("00urita", 2), ("00u名", 3), ("00uada", 2)] {
        let mut walk = walk(&plan);
        typed(&mut walk, &format!("/{id}"));
        assert_eq!(walk.shown.len(), found, "{id}");
    }
}

#[test]
fn only_a_plan_with_something_left_is_saved_and_quitting_forgets_only_after_a_question() {
    let plan = plan();
    let mut walk = walk(&plan);
    assert_eq!(walk.press(Key::Char('q')), Some(Wish::Quit));
    typed(&mut walk, "a");
    assert!(walk.rest().is_empty());
    typed(&mut walk, "s");
    assert_eq!((walk.message.as_deref(), &walk.mode), (Some("nothing is left to save"), &Mode::List));
    typed(&mut walk, "qn");
    assert_eq!(walk.mode, Mode::List);
    typed(&mut walk, "q");
    assert_eq!(walk.press(Key::Char('y')), Some(Wish::Quit));
    typed(&mut walk, "na s");
    (0..20).for_each(|_| drop(walk.press(Key::Backspace)));
    assert_eq!(walk.press(Key::Enter), None, "a name is needed");
    typed(&mut walk, "Ä q.json");
    assert_eq!(walk.press(Key::Enter), Some(Wish::Save("Ä q.json".to_owned())));
    assert_eq!(walk.press(Key::Interrupt), Some(Wish::Interrupt));
}

#[test]
fn it_draws_from_sixty_columns_and_fifteen_rows_on_and_without_colours() {
    let plan = plan();
    let mut walk = walk(&plan);
    for (width, height) in [LEAST, (61, 16), (80, 24), (300, 100)] {
        for keys in ["", "f", "q", "q?", "q/名名名", "\u{1b}s"] {
            keys.chars().for_each(|c| drop(walk.press(if c == '\u{1b}' { Key::Escape } else { Key::Char(c) })));
            let rows = drawn(&mut walk, width, height);
            assert!(rows.iter().all(|row| textwrap::core::display_width(row) <= usize::from(width)), "{rows:#?}");
        }
        walk.press(Key::Escape);
        walk.press(Key::Escape);
    }
    let small = drawn(&mut walk, 59, 15);
    assert!(small[0].starts_with("this needs 60 columns"), "{small:#?}");
    let is_coloured = |buffer: &Buffer| buffer.content().iter().any(|cell| cell.fg != Color::Reset);
    assert!(is_coloured(&buffer(&mut walk, 80, 24, true)) && !is_coloured(&buffer(&mut walk, 80, 24, false)));
}

#[test]
fn a_long_text_ends_in_dots_and_no_wide_character_is_cut() {
    let mut plan = plan();
    for width in [60, 61] {
        plan.users[1].user_name = "名".repeat(40);
        let rows = drawn(&mut walk(&plan), width, 20);
        let row = rows.iter().find(|row| row.contains("[x] !")).unwrap();
        assert!(row.contains("名…") || row.contains("名 …"), "{row}");
        assert!(row.contains("becomes"), "{row}");
    }
}

#[test]
fn a_name_from_a_server_moves_no_cursor() {
    let mut plan = plan();
    plan.users[1].user_name = "a\u{1b}[2J\u{202e}b".to_owned();
    let text = drawn(&mut walk(&plan), 100, 30).join("\n");
    assert!(text.contains("a\\u{1b}[2J\\u{202e}b"), "{text}");
}
