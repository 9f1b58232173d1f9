//! The groups and projects of the seeded company.

/// Type, name, and the members by name. The config pushes those whose name starts with `AP `.
pub const GROUPS: [(&str, &str, &[&str]); 11] = [
    // No project yet. Only the active ones in scope join it, also those whose account comes with the same plan.
    (
        "OKTA_GROUP",
        "AP Finance",
        &["Ada Adler", "Ben Brook", "Cara Cole", "Rita Rau", "Udo Ulrich", "Vera Vogt", "Alma Arndt", "Sina Sauer"],
    ),
    // A project whose members differ; see there.
    (
        "OKTA_GROUP",
        "AP Engineering",
        &["Cara Cole", "Dan Dorn", "Finn Falk", "Hal Horn", "Hugo Hahn", "Jana Jahn", "Quin Quast", "Flora Frank"],
    ),
    // A project of this name that isn't linked: adopted.
    ("OKTA_GROUP", "AP Sales", &["Gina Gruber", "Ines Imhof", "Lotte Lenz", "Mia Mayer"]),
    // Two projects of this name that aren't linked: a problem.
    ("OKTA_GROUP", "AP Support", &["Lea Lang", "Otto Ohm"]),
    // Renamed since its project was made.
    ("OKTA_GROUP", "AP Platform", &["Jana Jahn", "Olga Orth", "Paul Protected"]),
    // A project in line.
    ("OKTA_GROUP", "AP Security", &["Ida Ihle", "Jana Jahn"]),
    // No members, and no project yet.
    ("OKTA_GROUP", "AP Archive", &[]),
    // Two groups that would be one project: a problem. An imported group may have any name.
    ("OKTA_GROUP", "AP Research", &["Finn Falk"]),
    ("APP_GROUP", "AP Research", &["Nils Noll"]),
    // Not pushed, though two groups have the name.
    ("OKTA_GROUP", "Contractors", &["Ulla Contractor", "Vito Contractor"]),
    ("APP_GROUP", "Contractors", &["Wanda Contractor"]),
];

/// An account, by the name that its address is made of, and the project role.
type Member = (&'static str, &'static str);

/// Name, the Okta group that it is linked to, and its members.
pub const PROJECTS: [(&str, Option<&str>, &[Member]); 9] = [
    // `Dan Dorn`, `Hal Horn` and `Hugo Hahn` are missing.
    (
        "Engineering",
        Some("AP Engineering"),
        &[
            ("Cara Cole", "Editor"),
            ("Finn Falk", "Viewer"),   // The role was set by hand and stays.
            ("Jana Jahn", "Admin"),    // So was this one.
            ("Quin Quast", "Editor"),  // Suspended, with an inactive account: still in the group, so stays.
            ("Flora Frank", "Editor"), // Of an unknown status: still in the group, so stays.
            ("Otto Ohm", "Editor"),    // Left the group: removed.
            ("Yann Yilmaz", "Editor"), // Gone from Okta: removed.
            ("Xenia Xaver", "Editor"), // Out of scope and not in the group: removed.
            ("Rolf Reuter", "Editor"), // Has a problem: stays.
            ("Zita Zeller", "Editor"), // Added by hand: stays.
            ("Berta Busch", "Viewer"), // Of another directory: stays.
        ],
    ),
    // Adopted. `Zita Zeller` was added by hand, `Hugo Hahn` isn't in the group.
    ("Sales", None, &[("Gina Gruber", "Editor"), ("Zita Zeller", "Admin"), ("Hugo Hahn", "Editor")]),
    ("Support", None, &[("Lea Lang", "Editor")]),
    ("Support", None, &[]),
    // Renamed to `Platform`.
    ("Infrastructure", Some("AP Platform"), &[("Jana Jahn", "Editor"), ("Paul Protected", "Editor")]),
    ("Security", Some("AP Security"), &[("Ida Ihle", "Editor"), ("Jana Jahn", "Editor")]),
    // Linked to a group that isn't pushed any more, and to one that is gone: both stay as they are.
    ("Contractors", Some("Contractors"), &[("Wanda Weiss", "Editor")]),
    ("Events", Some("AP Events"), &[("Cara Cole", "Editor")]),
    // Made by hand, and no group's.
    ("Playground", None, &[("Zita Zeller", "Admin"), ("Cara Cole", "Editor")]),
];
