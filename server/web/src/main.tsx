// SPDX-License-Identifier: Apache-2.0
// main.tsx -- start: theme and language are set on import, then the clock, the router, the session, the one stream, and the page.
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { loadSession, mayManage, session, sessionKnown } from "./core/api";
import { t } from "./core/i18n";
import { LOCAL } from "./core/local";
import { go, route, startRouter } from "./core/router";
import "./core/theme";
import { startClock } from "./core/time";
import { Fleet } from "./pages/fleet";
import { SignIn } from "./pages/signin";
import { VehiclePage } from "./pages/vehicle";
import { startStream } from "./stream/client";
import { useLazy } from "./ui/lazy";
import { Empty, Skeleton } from "./ui/parts";
import { Shell } from "./ui/shell";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/pages.css";

/* Over a cable there is one vehicle: its overview is the first page. */
function TheVehicle() {
  useEffect(() => go(`/v/${session.value?.vehicle ?? ""}`, true), []);
  return null;
}

function Users() {
  const UsersPage = useLazy("users", () => import("./pages/users").then((m) => m.UsersPage));
  return UsersPage ? <UsersPage /> : <Skeleton height={400} label={t("link.connecting")} />;
}

function Page() {
  const r = route.value;
  if (LOCAL && r.page === "fleet") return <TheVehicle />;
  if (r.page === "fleet") return <Fleet />;
  if (r.page === "users" && mayManage()) return <Users />;
  if ("id" in r) return <VehiclePage key={r.id} id={r.id} tab={r.page} />;
  return (
    <div class="page">
      <Empty text={t("notfound")} action={t("notfound.action")} href="/fleet" />
    </div>
  );
}

function App() {
  if (!sessionKnown.value) return <Skeleton height={400} label={t("link.connecting")} />;
  if (!session.value) return <SignIn />;
  return (
    <Shell>
      <Page />
    </Shell>
  );
}

startClock();
startRouter();
startStream();
void loadSession();
render(<App />, document.getElementById("app") as HTMLElement);
