using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>Tasks of operators, in a real browser against the running product.</summary>
public abstract class OperatingTests(Chromium chromium, Shop shop)
{
    protected Chromium Chromium => chromium;

    protected Shop Shop => shop;

    [Fact]
    public async Task A_row_updates_live()
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        var id = await shop.PlaceAsync("tok_requires_action", wait: 1);
        await window.GoAsync("/orders");
        var row = window.Page.Locator($"#o-{id}");
        await Expect(row).ToContainTextAsync("pending");
        await shop.PostAsync($"sagas/{id}/compensate", new { reason = "a test" });
        await Expect(row).ToContainTextAsync("cancelled");
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Typed_text_survives_a_live_update()
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/orders");
        var search = window.Page.GetByLabel("Id, reference or customer");
        await search.FillAsync("ada");
        var id = await shop.PlaceAsync("tok_visa");
        await Expect(window.Page.Locator($"#o-{id}")).ToContainTextAsync("confirmed");
        await Expect(search).ToHaveValueAsync("ada");
        await Expect(search).ToBeFocusedAsync();
    }

    [Fact]
    public async Task The_address_holds_the_filter()
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/orders");
        await window.Page.GetByLabel("Process").SelectOptionAsync("failed");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Filter" }).ClickAsync();
        await Expect(window.Page).ToHaveURLAsync(new Regex("state=failed"));
        await Expect(window.Page.Locator($"#o-{shop.Incident}")).ToBeVisibleAsync();
        var address = window.Page.Url;

        await using var other = await chromium.OpenAsync(shop.Url);
        await other.Page.GotoAsync(address);
        await Expect(other.Page.GetByLabel("Process")).ToHaveValueAsync("failed");
        await Expect(other.Page.Locator($"#o-{shop.Incident}")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_page_of_a_declined_order_shows_what_was_undone()
    {
        var id = await shop.PlaceAsync("tok_declined");
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync($"/orders/{id}");
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync(
            "Rejected at authorize-payment (payment_declined); everything was undone");
        await Expect(window.Page.Locator(".process .undo", new() { HasTextString = "undone" })).ToHaveCountAsync(1);
        await Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "Retry now" })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_payment_in_doubt_is_shown_until_it_is_settled()
    {
        var id = await shop.PlaceAsync("tok_timeout_after_charge", wait: 0);
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync($"/orders/{id}");
        var lead = window.Page.Locator(".lead");
        await Expect(lead).ToContainTextAsync(new Regex("In doubt since|Waiting for customer-service"));
        await Expect(lead).ToContainTextAsync("Completed at", new() { Timeout = 30_000 });
        await Expect(window.Page.Locator("main")).ToContainTextAsync("captured");
    }

    [Fact]
    public async Task An_incident_is_resolved_with_the_keyboard_alone()
    {
        var id = await shop.MakeIncidentAsync();
        await using var window = await chromium.OpenAsync(shop.Url);
        var keys = window.Page.Keyboard;
        await window.GoAsync("/");
        await keys.PressAsync("Tab");
        await Expect(window.Page.Locator(":focus")).ToHaveTextAsync("Skip to content");
        await TabToAsync(window.Page, "Incidents");
        await keys.PressAsync("Enter");
        await Expect(window.Page.Locator($"#i-{id}")).ToBeVisibleAsync();
        await TabToAsync(window.Page, $"Resolve order {id}");
        await keys.PressAsync("Enter");
        await Expect(window.Page.GetByRole(AriaRole.Heading)).ToContainTextAsync(
            ["Resolve undo of authorize-payment as completed"]);
        await Expect(window.Page.Locator(".lead").First).ToContainTextAsync(
            "Record that 8.95 GBP was refunded to ada outside the gateway. No money moves. Order → cancelled, "
                + "payment → refunded, goods → released.");
        await Expect(window.Page.Locator("main")).ToContainTextAsync("orderwright.payment.undo.v1");
        await Expect(window.Page.Locator("main")).ToContainTextAsync("make sure that this is true");
        await Expect(window.Page.Locator("main")).ToContainTextAsync($"./orderwright resolve {id} authorize-payment completed");

        await TabToAsync(window.Page, "Reason (audited)");
        await keys.TypeAsync("paid back <b>by hand</b>");
        await keys.PressAsync("Enter");
        await Expect(window.Page).ToHaveURLAsync(new Regex($"/orders/{id}\\?done="));
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync("everything was undone");
        await Expect(window.Page.Locator("main")).ToContainTextAsync("paid back <b>by hand</b>");
        var entry = (await shop.ListAuditAsync(id)).First(action => (string)action["action"]! == "resolve");
        Assert.Equal(("resolve", "paid back <b>by hand</b>"), ((string)entry["action"]!, (string)entry["reason"]!));
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task A_group_of_incidents_is_retried_with_a_canary_that_stops_the_rest()
    {
        await shop.MakeIncidentAsync();
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/incidents");
        await window.Page.GetByRole(AriaRole.Link, new() { NameRegex = new("authorize-payment: refund_failed") }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Retry all of these" }).ClickAsync();
        await window.Page.GetByLabel("Reason (audited)").FillAsync("the bank is back");
        // By default a tenth of the orders, and at least one.
        await Expect(window.Page.GetByLabel("Canary size")).ToHaveValueAsync(new Regex("^[12]$"));
        await Expect(window.Page.Locator("main")).ToContainTextAsync(new Regex("[12] first, then \\d|1 at once"));
        await window.Page.GetByLabel("Canary size").FillAsync("1");
        await window.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Retry \\d+ orders?$") }).ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync(
            "1 of the first 1 did not advance", new() { Timeout = 30_000 });
        await window.AssertAccessibleAsync("/bulk/over");

        // Its counts link to the orders and the audit entries of this run only.
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "1 acted on" }).ClickAsync();
        await Expect(window.Page).ToHaveURLAsync(new Regex("outcome=acted"));
        await Expect(window.Page.Locator("tr[id^='o-']")).ToHaveCountAsync(1);
        await Expect(window.Page.Locator("tr[id^='o-']")).ToContainTextAsync("still failing");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "all actions of this run" }).ClickAsync();
        await Expect(window.Page).ToHaveURLAsync(new Regex("/audit\\?run="));
        await Expect(window.Page.Locator("tr[id^='a-']")).ToHaveCountAsync(1);
        await Expect(window.Page.Locator("tr[id^='a-']")).ToContainTextAsync("the bank is back");
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task A_bulk_action_is_stopped_during_its_canary_batch()
    {
        // An order waiting for its customer keeps waiting after every retry, so the canary batch does not end.
        var id = await shop.PlaceAsync("tok_requires_action", wait: 1);
        await Shop.UntilAsync(async () => (string?)(await shop.GetAsync($"sagas/{id}"))["waitingFor"] == "customer");
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/bulk?waitingFor=customer&action=retry");
        await window.Page.GetByLabel("Reason (audited)").FillAsync("remind the customers");
        await window.Page.GetByLabel("Canary size").FillAsync("1");
        await window.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Retry \\d+ orders?$") }).ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync("Running the canary batch");
        var run = window.Page.Url.Split('/', '?')[4];
        await window.Page.GetByText("From the command line").ClickAsync();
        await Expect(window.Page.Locator("main")).ToContainTextAsync($"/api/v1/bulk-actions/{run}/stop -H");
        await Expect(window.Page.GetByText($"./orderwright bulk stop {run} --reason '…'")).ToBeVisibleAsync();
        await window.Page.GetByLabel("Reason for stopping (audited)").FillAsync("enough");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync("Stopped.");
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync("enough");
        await shop.PostAsync($"sagas/{id}/compensate", new { reason = "a test" });
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task A_cancellation_previews_its_messages_and_is_audited()
    {
        var id = await shop.PlaceToTheEndAsync("tok_visa");
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync($"/orders/{id}");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Cancel the order" }).ClickAsync();
        var main = window.Page.Locator("main");
        await Expect(main).ToContainTextAsync("orderwright.order.cancel-requested.v1");
        await Expect(main).ToContainTextAsync("orderwright.stock.release.v1");
        await Expect(main).ToContainTextAsync($"/api/v1/orders/{id}/cancel -H");
        await Expect(main).ToContainTextAsync($"./orderwright cancel {id} --reason customer");
        await window.AssertAccessibleAsync("/orders/act-cancel");
        await window.Page.GetByLabel("Reason (audited)").SelectOptionAsync("fraud");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel the order" }).ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync("everything was undone");
        var entry = Assert.Single(await shop.ListAuditAsync(id));
        Assert.Equal(("cancel", "fraud", "order-service"), (
            (string)entry["action"]!, (string)entry["reason"]!, (string)entry["service"]!));
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task A_reconciliation_is_shown_with_its_counts()
    {
        await shop.PlaceAsync("tok_visa");
        var id = (string)(await shop.PostAsync("reconciliations", new { provider = "sandbox" }))["id"]!;
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/payments");
        var row = window.Page.Locator($"#c-{id}");
        await Expect(row).ToContainTextAsync(new Regex("agrees|differs"), new() { Timeout = 30_000 });
        // Payments that other tests resolved by hand are listed as differences.
        var differences = (int)(await shop.GetAsync($"reconciliations/{id}"))["differences"]!;
        await row.GetByRole(AriaRole.Link, new() { Name = "sandbox" }).ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync(
            differences == 0 ? "Both sides agree." : "The two sides differ.");
        await Expect(window.Page.Locator("tr[id^='r-']")).ToHaveCountAsync(differences);
        await window.AssertAccessibleAsync("/reconciliations/agrees");
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task The_page_of_an_order_shows_its_shipments()
    {
        var id = await shop.PlaceAsync("tok_visa");
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync($"/orders/{id}");
        await Expect(window.Page.Locator("main")).ToContainTextAsync("Nothing shipped.");
        await shop.PostAsync($"orders/{id}/fulfilments", new { tracking = new { carrier = "Royal Mail", number = "RM 1" } });
        var shipped = window.Page.GetByRole(AriaRole.Region, new() { Name = "Fulfilments" });
        await Expect(shipped).ToContainTextAsync("1 × MUG-01");
        await Expect(shipped).ToContainTextAsync("Royal Mail");
        await Expect(window.Page.GetByRole(AriaRole.Region, new() { Name = "Lines" })).ToContainTextAsync("MUG-01");
        await Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "Cancel the order" })).ToHaveCountAsync(0);
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task An_incident_is_given_an_owner_and_a_note()
    {
        var id = await shop.MakeIncidentAsync();
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/incidents");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = $"Note on order {id}" }).ClickAsync();
        await window.Page.GetByLabel("Owner").FillAsync("anna");
        await window.Page.GetByLabel("Note").FillAsync("The bank wants a form.\nSent today <b>by post</b>.");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        var row = window.Page.Locator($"#i-{id}");
        await Expect(row).ToContainTextAsync("The bank wants a form.\nSent today <b>by post</b>.", new() { UseInnerText = true });
        await row.GetByRole(AriaRole.Link, new() { Name = "anna" }).ClickAsync();
        await Expect(window.Page.Locator("tr[id^='i-']")).ToHaveCountAsync(1);
        await window.GoAsync($"/orders/{id}");
        await Expect(window.Page.Locator("main")).ToContainTextAsync("Owner: anna.");
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task The_primary_action_of_an_incident_is_the_recommended_one()
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync($"/orders/{shop.Incident}");
        await Expect(window.Page.Locator(".advice")).ToContainTextAsync("Recommended: resolve. The gateway refused to return");
        await Expect(window.Page.Locator(".advice")).ToContainTextAsync("docs/operations/incidents/refund_failed.md");
        await Expect(window.Page.Locator(".actions a:not(.second)")).ToHaveTextAsync(
            ["Resolve undo of authorize-payment as completed…"]);
        // Everything is being undone already.
        await Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "Compensate" })).ToHaveCountAsync(0);
        await window.GoAsync("/incidents?step=authorize-payment&code=refund_failed");
        await Expect(window.Page.Locator(".actions a:not(.second)")).ToHaveTextAsync(["Resolve all of these…"]);
        await Expect(window.Page.Locator($"#i-{shop.Incident} a.first")).ToHaveTextAsync("Resolve");
    }

    [Fact]
    public async Task A_resolution_of_the_undo_is_refused_where_the_step_itself_is_outstanding()
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync(
            $"/orders/{shop.Incident}/act?verb=resolve&step=authorize-payment&outcome=completed&undo=false");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync(
            "The undo of authorize-payment is outstanding, not authorize-payment itself.");
    }

    [Fact]
    public async Task An_incident_is_taken_with_one_click_and_keeps_its_note()
    {
        var id = await shop.MakeIncidentAsync();
        await shop.PutNoteAsync(id, owner: null, note: "asked the bank");
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/incidents");
        var row = window.Page.Locator($"#i-{id}");
        await row.GetByRole(AriaRole.Button, new() { Name = $"Take order {id}" }).ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Status).Filter(new() { HasTextString = "Saved" })).ToBeVisibleAsync();
        await Expect(row.GetByRole(AriaRole.Link, new() { Name = "local" })).ToBeVisibleAsync();
        await Expect(row).ToContainTextAsync("asked the bank");
        await Expect(row.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task The_overview_begins_with_the_incidents_their_money_and_their_owners()
    {
        await shop.MakeIncidentAsync();
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/");
        var section = window.Page.Locator("main > section").First;
        await Expect(section.Locator(".lead")).ToContainTextAsync(
            new Regex("\\d+ open incidents?\\. [\\d.]+ GBP\\. Oldest [\\s\\S]*\\d+ without an owner\\."));
        var row = section.Locator("tbody tr", new() { HasTextString = "refund_failed" });
        await Expect(row).ToContainTextAsync("GBP");
        await Expect(row).ToContainTextAsync("The gateway refused to return the money");
        await row.GetByRole(AriaRole.Button, new() { Name = "Take refund_failed at authorize-payment" }).ClickAsync();
        await Expect(window.Page).ToHaveURLAsync(new Regex("/incidents\\?done="));
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task An_impossible_action_is_refused_with_the_reason()
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        var id = await shop.PlaceAsync("tok_visa");
        await window.GoAsync($"/orders/{id}/act?verb=compensate");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("order_confirmed");
    }

    // Presses Tab until the element with the given text, label or name has the focus.
    static async Task TabToAsync(IPage page, string name)
    {
        for (var i = 0; i < 150; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            var here = await page.EvaluateAsync<string>(
                """
                () => {
                    const e = document.activeElement;
                    return e.ariaLabel || e.labels?.[0]?.innerText.trim() || e.innerText?.trim() || '';
                }
                """);
            if (here == name) return;
        }
        Assert.Fail($"No Tab leads to {name}.");
    }
}

/// <summary>Operating tests with each service in a separate process.</summary>
[Collection(SpreadShop.Name)]
public sealed class SpreadOperatingTests(Chromium chromium, SpreadShop shop) : OperatingTests(chromium, shop);
