using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Orderwright.EndToEnd;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>Pages of the webhook endpoints.</summary>
public sealed class WebhookPageTests(Chromium chromium)
{
    [Fact]
    public async Task An_operator_tests_disables_and_enables_an_endpoint_and_sends_an_event_again()
    {
        await using var receiver = new Receiver();
        await using var host = await HttpHost.StartAsync();
        await host.WaitForAsync("The demo shop has");
        var endpoint = await AddAsync(host, receiver.Url);
        await using var window = await chromium.OpenAsync(host.Url);
        await window.GoAsync("/webhooks");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = receiver.Url }).ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToHaveTextAsync("Events are delivered.");

        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Send a test message" }).ClickAsync();
        await Expect(window.Page.GetByText("The receiver responded to the test message with 200.")).ToBeVisibleAsync();

        await host.Client.PostAsJsonAsync("/api/v1/orders", JsonNode.Parse(
            """
            {"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG-01","quantity":1}],
            "payment":{"provider":"sandbox","token":"tok_visa"}}
            """));
        await Expect(window.Page.GetByRole(AriaRole.Cell, new() { Name = "delivered" }).First)
            .ToBeVisibleAsync(new() { Timeout = 30_000 });
        await window.AssertAccessibleAsync("/webhooks-endpoint");
        var before = receiver.Count;
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Send again" }).First.ClickAsync();
        await Waiting.UntilAsync(() => receiver.Count > before);

        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Disable" }).ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync("Disabled by an operator.");
        await window.GoAsync("/webhooks");
        await Expect(window.Page.GetByRole(AriaRole.Cell, new() { Name = "disabled" })).ToBeVisibleAsync();
        await window.AssertAccessibleAsync("/webhooks-list");
        await window.GoAsync($"/webhooks/{endpoint}");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Enable" }).ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToHaveTextAsync("Events are delivered.");

        receiver.Status = 500;
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Send again" }).First.ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync(
            "The receiver accepts no events.", new() { Timeout = 30_000 });
        await window.AssertAccessibleAsync("/webhooks-failing");
        Assert.Empty(window.Complaints);
    }

    static async Task<string> AddAsync(HttpHost host, string url)
    {
        using var response = await host.Client.PostAsJsonAsync("/api/v1/webhook-endpoints", new { url });
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return (string)(await response.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
    }

    /// <summary>Receiver on the loopback interface.</summary>
    sealed class Receiver : IAsyncDisposable
    {
        readonly HttpListener listener = new();
        readonly Task running;
        int count;

        public Receiver()
        {
            for (var port = 20_000; !listener.IsListening; port++)
                try
                {
                    Url = $"http://127.0.0.1:{port}/";
                    listener.Prefixes.Clear();
                    listener.Prefixes.Add(Url);
                    listener.Start();
                }
                catch (HttpListenerException) when (port < 60_000)
                {
                    // Taken; the next port may be free.
                }
            running = RunAsync();
        }

        public string Url { get; private set; } = "";

        public int Status { get; set; } = 200;

        public int Count => Volatile.Read(ref count);

        public async ValueTask DisposeAsync()
        {
            listener.Stop();
            await running;
            listener.Close();
        }

        async Task RunAsync()
        {
            while (true)
                try
                {
                    var http = await listener.GetContextAsync();
                    Interlocked.Increment(ref count);
                    http.Response.StatusCode = Status;
                    http.Response.Close();
                }
                catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }
        }
    }
}
