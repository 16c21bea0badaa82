/** Where server data lives in the query cache. */
export const keys = {
  conversations: ["conversations"] as const,
  conversationLists: ["conversations", "list"] as const,
  conversation: (id: string) => ["conversations", "one", id] as const,
  counts: ["conversations", "counts"] as const,
  messages: (conversation: string) => ["messages", conversation] as const,
  contacts: ["contacts"] as const,
  contactLists: ["contacts", "list"] as const,
  contact: (id: string) => ["contacts", "one", id] as const,
  instances: ["instances"] as const,
  gateways: ["gateways"] as const,
  users: ["users"] as const,
  invitations: ["invitations"] as const,
  signIns: ["sign-ins"] as const,
  apiKeys: ["api-keys"] as const,
  audit: ["audit"] as const,
  jobs: ["jobs"] as const,
};
