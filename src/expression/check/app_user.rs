//! Attributes of the user's profile in the app, `appuser.x`, which the app's own schema may lack.

use std::collections::BTreeSet;

use super::Finding;
use crate::expression::Expression;
use crate::expression::ast::{Kind, Node, Root};
use crate::model::similar::most_similar;

/// An error for each attribute of `appuser` that isn't one of these: its value would be null for every user, without any error.
pub fn check_app_user(expression: &Expression, attributes: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    expression.ast().visit(&mut |node| {
        let Some(name) = attribute(node).filter(|name| !attributes.contains(*name)) else { return };
        let finding = Finding::silent(format!("the schema of the app has no attribute {name}"), node).by_schema();
        findings.push(match most_similar(name, attributes.iter().map(String::as_str)) {
            Some(near) => finding.hint(format!("a similar one is {near}; names are case-sensitive")),
            None => finding,
        });
    });
    findings
}

/// The attribute that a node is: `appuser.x`, `appUser['x']`.
fn attribute(node: &Node) -> Option<&str> {
    let (object, name) = node.property()?;
    matches!(&object.kind, Kind::Root(Root::Name(root)) if root == "appuser" || root == "appUser").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_that_the_app_lacks_is_an_error_under_every_spelling() {
        let known = ["platformRole", "userName"].map(str::to_owned).into();
        for (source, found) in [
            ("appuser.platformRole", None),
            ("appuser['userName'] + appUser?.platformRole", None),
            ("user.platformrole", None),
            ("appuser.platformrole", Some("appuser.platformrole")),
            ("appUser?.platformrole", Some("appUser?.platformrole")),
            ("'x' + appuser['platformrole']", Some("appuser['platformrole']")),
        ] {
            let findings = check_app_user(&Expression::parse(source).unwrap(), &known);
            let spans: Vec<&str> = findings.iter().map(|finding| &source[finding.span.clone()]).collect();
            assert_eq!(spans, found.into_iter().collect::<Vec<_>>(), "{source}");
            assert!(findings.iter().all(|finding| finding.silent && finding.hint.is_some()), "{source}");
        }
    }
}
