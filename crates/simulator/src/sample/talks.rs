//! The words of the sample. People, numbers, streets and prices are made up.

use super::photos::Scene;

/// One conversation.
pub struct Talk {
    pub phone: &'static str,
    pub name: &'static str,
    /// What the business sees of the number.
    pub shown: &'static str,
    /// Whether they have opened the chat since.
    pub read: bool,
    pub said: &'static [Said],
}

/// One message.
pub struct Said {
    pub minutes_ago: i64,
    pub by_us: bool,
    pub what: What,
    /// The place in this conversation of the message it answers.
    pub answers: Option<usize>,
}

/// What it says.
pub enum What {
    Text(&'static str),
    Photo(Scene, &'static str),
    Voice,
    Paper(&'static str, &'static [&'static str]),
    Place(&'static str, f64, f64),
    Card(&'static str, &'static str),
    Poll(&'static str, &'static [&'static str]),
}

const fn they(minutes_ago: i64, what: What) -> Said {
    Said { minutes_ago, by_us: false, what, answers: None }
}

const fn we(minutes_ago: i64, what: What) -> Said {
    Said { minutes_ago, by_us: true, what, answers: None }
}

const fn re(answered: usize, said: Said) -> Said {
    Said { answers: Some(answered), ..said }
}

use What::{Card, Paper, Photo, Place, Poll, Text, Voice};

pub const TALKS: &[Talk] = &[
    Talk {
        phone: "27820001001",
        name: "Thandi Mokoena",
        shown: "phone",
        read: true,
        said: &[
            they(
                1_610,
                Text(
                    "Hello, is the 2 bed flat in Rosebank still available? I saw it on your board in Jellicoe Avenue.",
                ),
            ),
            we(
                1_602,
                Text("Good afternoon Thandi! Yes, it is. R 14 500 a month, one parking bay, pets by arrangement."),
            ),
            they(1_598, Text("That works for me. Is there backup power?")),
            re(
                2,
                we(
                    1_590,
                    Text("There is an inverter for lights and wifi, and the block has a generator for the lifts."),
                ),
            ),
            we(1_589, Photo(Scene::Lounge, "The lounge, facing north")),
            they(1_580, Text("Beautiful light 😍")),
            we(1_575, Poll("When would you like to see it?", &["Saturday 10:00", "Saturday 14:00", "Monday 17:30"])),
            they(38, Text("Sorry for the late reply! Saturday 10:00 please. Can my sister come along?")),
            they(36, Text("And what do you need from me for the application?")),
        ],
    },
    Talk {
        phone: "27820001002",
        name: "Johan van der Merwe",
        shown: "phone",
        read: true,
        said: &[
            they(
                300,
                Text("Goeie more. I want to sell my house in Centurion and would like to know what it is worth."),
            ),
            we(
                292,
                Text("Môre Johan, gladly. How many bedrooms, and how large is the stand? A few photos help a lot."),
            ),
            they(
                240,
                Text("4 bed, 2 bath, double garage, stand 1 050 square metres. Built 1998, kitchen redone in 2021."),
            ),
            they(238, Photo(Scene::House, "Front")),
            they(237, Photo(Scene::Kitchen, "Kitchen")),
            they(236, Photo(Scene::Garden, "Back garden with the pool")),
            re(5, we(231, Text("Lovely garden! Can I come by on Friday at 9 to measure up?"))),
            they(225, Text("Friday is fine. Use the gate in Rooihuiskraal Road.")),
        ],
    },
    Talk {
        phone: "27820001003",
        name: "Lerato Dlamini",
        shown: "phone",
        read: false,
        said: &[
            they(95, Text("Hi, I am looking for a one bedroom in Sandton near the Gautrain, up to R 12 000")),
            they(94, Voice),
            we(80, Text("Thank you Lerato. When would you need to move in?")),
            they(21, Text("1 January, my lease ends in December")),
        ],
    },
    Talk {
        phone: "27820001004",
        name: "Priya Naidoo",
        shown: "phone",
        read: true,
        said: &[
            they(
                2_700,
                Text(
                    "Good day, we are relocating from Durban North to Umhlanga. Do you have 3 bed townhouses in a secure estate?",
                ),
            ),
            we(2_690, Text("Good day Priya! Two at the moment, R 2 450 000 and R 2 795 000. Shall I send both?")),
            they(2_684, Text("Yes please")),
            we(2_680, Photo(Scene::Townhouse, "Unit 12, R 2 450 000, levy R 2 310")),
            we(2_679, Place("Acacia Estate, main gate", -29.7260, 31.0660)),
            they(2_600, Text("We like unit 12. My husband will call, his number:")),
            they(2_599, Card("Kiran Naidoo", "27820001104")),
            we(2_590, Text("Wonderful, I will expect his call 🙏")),
        ],
    },
    Talk {
        phone: "27820001005",
        name: "Sipho Khumalo",
        shown: "phone",
        read: true,
        said: &[
            they(
                130,
                Text(
                    "Hi, flat 4B here. The ceiling in the bathroom is wet again, it started with the rain last night.",
                ),
            ),
            they(129, Photo(Scene::Damp, "Getting bigger since this morning")),
            we(
                121,
                Text(
                    "Thank you for the photo, Sipho. The plumber can come today between 14:00 and 16:00. Is somebody home?",
                ),
            ),
            they(118, Text("Yes I work from home, he can ring the bell")),
        ],
    },
    Talk {
        phone: "27820001006",
        name: "Fatima Jacobs",
        shown: "phone",
        read: false,
        said: &[
            we(420, Text("Dear Fatima, here is the offer to purchase for 7 Protea Lane as discussed.")),
            we(
                419,
                Paper(
                    "Offer to purchase, 7 Protea Lane.pdf",
                    &[
                        "OFFER TO PURCHASE (sample)",
                        "Property: 7 Protea Lane, Claremont",
                        "Price: R 3 450 000",
                        "Occupation: 1 February",
                        "This document is part of a simulation.",
                    ],
                ),
            ),
            they(60, Text("Received, thank you. Our attorney asks whether the solar panels are included?")),
        ],
    },
    Talk {
        phone: "27820001007",
        name: "Pieter Botha",
        shown: "lid",
        read: true,
        said: &[
            they(1_450, Text("Is the commission negotiable?")),
            we(1_440, Text("For a sole mandate of three months, yes. May I call you about it?")),
            they(1_432, Text("Rather write please, I am in meetings all week")),
        ],
    },
    Talk {
        phone: "27820001008",
        name: "Zanele Nkosi",
        shown: "lidOnly",
        read: false,
        said: &[they(6, Text("Sawubona 👋 How much is the garden cottage in Melville, and is water included?"))],
    },
];
