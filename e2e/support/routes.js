// Every page that somebody signed in can come to, for what must hold on all of them.

/** Each route, and what must be on it before it is looked at. `talk`: a conversation with a picture; `number`: one to be linked. */
export const routes = ({ talk, number }) => [
  ["/chat", '[data-testid="conversation-row"]'],
  [`/chat/${talk}`, '[data-testid="message"] img'],
  ["/chat?view=mine", '[data-testid="empty"], [data-testid="conversation-row"]'],
  ["/chat?q=stoep", '[data-testid="search-hit"]'],
  ["/chat/cnv_01h455vb4pex5vsknk084sn02q", '[data-testid="empty"]'],
  ["/contacts", '[data-testid="contact-row"]'],
  ["/instances", '[data-testid="number-card"]'],
  ["/instances?add=1", '[data-testid="add-dialog"]'],
  [`/instances?link=${number}`, '[data-testid="qr-image"]'],
  ["/settings/profile", "main form"],
  ["/settings/sign-ins", "main li, main table"],
  ["/settings/preferences", "main [role=switch]"],
  ["/settings/workspace", "main form"],
  ["/settings/team", "main li, main table"],
  ["/settings/gateways", "main form, main li"],
  ["/settings/api-keys", "main form, main button"],
  ["/settings/audit", "main table, main li"],
  ["/settings/jobs", '[data-testid="job-summary"], [data-testid="empty"]'],
  ["/nowhere", "main a"],
];
