using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orderwright.EndToEnd;
using Orderwright.Hosting.Keys;
using Orderwright.Http;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>A resolution that waits for a second person, in the console of both.</summary>
public sealed class ApprovalPageTests(Chromium chromium) : IAsyncLifetime
{
    readonly string directory = HttpHost.NewDirectory();
    string admin = "", olga = "", bob = "";
    HttpHost host = null!;

    public async ValueTask InitializeAsync()
    {
        Chromium.Require();
        var file = Path.Combine(directory, "keys.json");
        (admin, olga, bob) = (Add(Roles.Admin), Add(Roles.Operator), Add(Roles.Finance));
        host = await HttpHost.StartAsync(null, "--keys", file, "--approval-above", "GBP:500");

        string Add(string role) =>
            KeyFile.Add(file, role, [], DateTimeOffset.UtcNow, channels: [ChannelSet.Any], roles: [role]);
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_resolution_waits_until_another_person_has_approved()
    {
        var order = await StuckAsync();
        await using var first = await SignInAsync(olga);
        await first.GoAsync($"/orders/{order}/act?verb=resolve&step=authorize-payment&outcome=completed&undo=true");
        await Expect(first.Page.Locator("main")).ToContainTextAsync("A second person has to approve first.");
        await DecideAsync(first.Page, "refunded by hand", "Resolve undo of authorize-payment as completed");
        await Expect(first.Page.Locator("main")).ToContainTextAsync("Waiting for a second person.");
        await Expect(first.Page.Locator("main")).ToContainTextAsync("so another person decides");
        await first.AssertAccessibleAsync("/approvals/own");
        await first.GoAsync($"/orders/{order}");
        await Expect(first.Page.Locator(".remark")).ToContainTextAsync(
            $"as completed, for an order of 8.95 GBP of ada. Requested by {NameOf(olga)}.");
        await first.AssertAccessibleAsync("/orders/waiting");

        await using var second = await SignInAsync(bob);
        await second.GoAsync("/approvals");
        await second.AssertAccessibleAsync("/approvals/full");
        await second.Page.SetViewportSizeAsync(1440, 900);
        var link = second.Page.GetByRole(AriaRole.Link, new() { NameRegex = new("Record the undo of authorize-payment") });
        await link.ClickAsync();
        var main = second.Page.Locator("main");
        await Expect(main).ToContainTextAsync($"On approval by {NameOf(bob)}:");
        await Expect(main).ToContainTextAsync($"in the name of {NameOf(olga)}, and both of you are recorded.");
        await second.AssertAccessibleAsync("/approvals/decide");
        await second.Page.SetViewportSizeAsync(1440, 900);
        await DecideAsync(second.Page, "the bank confirms", "Approve");
        await Expect(second.Page.GetByRole(AriaRole.Status).Filter(new() { HasText = "Approved" })).ToBeVisibleAsync();
        await second.GoAsync("/approvals?state=all");
        await Expect(main).ToContainTextAsync("approved");
        await second.AssertAccessibleAsync("/approvals/all");
        await Waiting.UntilAsync(async () =>
            (string)(await host.Client.AskAsync($"/api/v1/orders/{order}", Bearer(admin))).Json["status"]! == "cancelled");
        Assert.Empty(first.Complaints.Concat(second.Complaints));
    }

    [Fact]
    public async Task A_rejected_resolution_leaves_the_order_as_it_was()
    {
        var order = await StuckAsync();
        var held = await host.Client.PostAsync(
            $"/api/v1/sagas/{order}/resolve",
            """{"step":"authorize-payment","outcome":"completed","reason":"refunded by hand"}""", Bearer(olga));
        Assert.Equal(202, held.Status);
        await using var window = await SignInAsync(bob);
        await window.GoAsync($"/approvals/{held.Json["id"]}?service={held.Json["service"]}");
        await DecideAsync(window.Page, "no trace of it", "Reject");
        await Expect(window.Page.GetByRole(AriaRole.Status).Filter(new() { HasText = "Rejected" })).ToBeVisibleAsync();
        Assert.Equal(
            "failed", (string)(await host.Client.AskAsync($"/api/v1/sagas/{order}", Bearer(admin))).Json["state"]!);
    }

    [Fact]
    public async Task An_incident_belongs_to_the_person_who_takes_it()
    {
        var order = await StuckAsync();
        await using var first = await SignInAsync(olga);
        await using var second = await SignInAsync(bob);
        // Both see the button before one presses it.
        foreach (var window in new[] { first, second }) await window.GoAsync("/incidents");
        await first.Page.GetByRole(AriaRole.Button, new() { Name = $"Take order {order}" }).ClickAsync();
        await Expect(first.Page.Locator($"#i-{order}").GetByRole(AriaRole.Link, new() { Name = NameOf(olga) }))
            .ToBeVisibleAsync();
        await second.Page.EvaluateAsync(
            $$"""
            () => {
                const form = document.createElement("form");
                form.method = "post";
                form.action = "/incidents/{{order}}/take";
                form.innerHTML = document.querySelector("form").innerHTML;
                document.body.append(form);
                form.submit();
            }
            """);
        await Expect(second.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync($"{NameOf(olga)} has taken this incident.");
    }

    async Task<string> StuckAsync()
    {
        await OkAsync(HttpMethod.Put, "products/MUG", """{"name":"Mug","unitPrice":895,"currency":"GBP"}""");
        await OkAsync(HttpMethod.Put, "stock/MUG", """{"onHand":100}""");
        await OkAsync(HttpMethod.Put, "customers/ada", """{"name":"Ada"}""");
        var order = (string)(await OkAsync(
            HttpMethod.Post, "orders",
            """
            {"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG","quantity":1}],
             "payment":{"provider":"sandbox","token":"tok_refund_fails"}}
            """, ("Prefer", "wait=30")))["id"]!;
        await OkAsync(HttpMethod.Post, $"orders/{order}/cancel", """{"reason":"staff"}""");
        await Waiting.UntilAsync(async () =>
            (string)(await host.Client.AskAsync($"/api/v1/sagas/{order}", Bearer(admin))).Json["state"]! == "failed");
        return order;
    }

    async Task<JsonNode> OkAsync(HttpMethod method, string path, string body, params (string, string)[] headers)
    {
        var answer = await host.Client.SendAsync(
            method, $"/api/v1/{path}", System.Text.Encoding.UTF8.GetBytes(body), headers: [Bearer(admin), .. headers]);
        Assert.True(answer.Status < 300, $"{method} {path}: {answer.Status}");
        return answer.Json;
    }

    async Task<Window> SignInAsync(string key)
    {
        var window = await chromium.OpenAsync(host.Url);
        await window.GoAsync("/login");
        await window.Page.GetByLabel("Key").FillAsync(key);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(window.Page).ToHaveURLAsync(new Regex("/$"));
        return window;
    }

    static async Task DecideAsync(IPage page, string reason, string button)
    {
        await page.GetByLabel("Reason (audited)").FillAsync(reason);
        await page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
    }

    static string NameOf(string key) => key.Split('_')[1];

    static (string, string) Bearer(string key) => ("Authorization", $"Bearer {key}");
}
