import { lazy } from "react";
import { createBrowserRouter, Navigate } from "react-router";
import { ErrorPage, MissingPage } from "./ErrorPage";
import { Frame } from "./Frame";

const InboxPage = lazy(() => import("./InboxPage"));
const ContactsPage = lazy(() => import("./ContactsPage"));
const NumbersPage = lazy(() => import("./NumbersPage"));
const SettingsPage = lazy(() => import("./SettingsPage"));
const AuthPage = lazy(() => import("./AuthPage"));

/** Every place there is. What does not exist yet has no route. */
export const makeRouter = () =>
  createBrowserRouter([
    {
      errorElement: <ErrorPage />,
      children: [
        { path: "/sign-in", element: <AuthPage kind="in" /> },
        { path: "/sign-up", element: <AuthPage kind="up" /> },
        {
          element: <Frame />,
          children: [
            { index: true, element: <Navigate to="/chat" replace /> },
            { path: "chat/:id?", element: <InboxPage /> },
            { path: "contacts", element: <ContactsPage /> },
            { path: "instances", element: <NumbersPage /> },
            { path: "settings/:part?", element: <SettingsPage /> },
            { path: "*", element: <MissingPage /> },
          ],
        },
      ],
    },
  ]);
