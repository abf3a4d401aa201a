using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Orderwright.Hosting.Keys;
using Orderwright.Http;

namespace Orderwright.EndToEnd;

/// <summary>The Model Context Protocol on stdio and over HTTP at <c>/mcp</c>, called with the protocol's own client.</summary>
public sealed class McpTests
{
    [Theory]
    [InlineData("stdio")]
    [InlineData("http")]
    public async Task An_agent_finds_explains_previews_and_repairs_with_a_reason(string transport)
    {
        await using var host = await HttpHost.StartAsync();
        await host.WaitForAsync("The demo shop has");
        await using var agent = await (transport == "stdio" ? StartToolAsync(host.Url) : ConnectAsync(host.Url, null));

        var tools = await agent.ListToolsAsync();
        Assert.Equal(
            ["compensate_order", "explain_order", "find_orders", "list_incidents", "retry_order"],
            tools.Select(tool => tool.Name).Order());
        Assert.All(tools, tool =>
        {
            var annotations = tool.ProtocolTool.Annotations!;
            Assert.Equal(tool.Name is not ("compensate_order" or "retry_order"), annotations.ReadOnlyHint);
            Assert.Equal(tool.Name == "compensate_order", annotations.DestructiveHint);
            Assert.Equal((annotations.ReadOnlyHint, false), (annotations.IdempotentHint, annotations.OpenWorldHint));
            Assert.NotNull(tool.ProtocolTool.Title);
            Assert.Equal("object", tool.ProtocolTool.OutputSchema!.Value.GetProperty("type").GetString());
        });
        var order = await CallAsync(agent, "find_orders", new() { ["text"] = "DEMO-7" });
        Assert.Equal("frances", (string)order["items"]![0]!["customerId"]!);
        var saga = await CallAsync(agent, "explain_order", new() { ["order"] = "DEMO-7" });
        Assert.StartsWith("Waiting for the customer", (string)saga["summary"]!, StringComparison.Ordinal);
        Assert.Equal("action_required", (string?)saga["paymentDetails"]!["state"]);
        var incidents = await CallAsync(agent, "list_incidents", []);
        Assert.Empty(incidents["items"]!.AsArray());
        Assert.Empty(incidents["payments"]!["items"]!.AsArray());

        var arguments = new Dictionary<string, object?>
        {
            ["order"] = "DEMO-7", ["reason"] = "the customer called",
        };
        Assert.True((bool)(await CallAsync(agent, "compensate_order", arguments))["preview"]!);
        Assert.Empty((await host.Client.AskAsync("/api/v1/audit?action=compensate")).Json["items"]!.AsArray());
        arguments["doIt"] = true;
        Assert.NotNull((await CallAsync(agent, "compensate_order", arguments))["auditId"]);
        Assert.Equal(
            "the customer called", (string)(await host.Client.AskAsync("/api/v1/audit")).Json["items"]![0]!["reason"]!);
        arguments["reason"] = " ";
        Assert.Equal("invalid_request", (string)(await RefusedAsync(agent, "compensate_order", arguments))["code"]!);
        arguments["reason"] = "once more";
        await Waiting.UntilAsync(async () =>
            (string?)(await CallAsync(agent, "explain_order", new() { ["order"] = "DEMO-7" }))["state"] == "compensated");
        Assert.Equal(409, (int)(await RefusedAsync(agent, "compensate_order", arguments))["status"]!);
        arguments["order"] = "DEMO-99";
        var missing = await RefusedAsync(agent, "retry_order", arguments);
        Assert.Equal("not_found", (string)missing["code"]!);
        Assert.Contains("no order", (string)missing["detail"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("retry_order", """{"order":"DEMO-7"}""", "reason", "required")]
    [InlineData("retry_order", """{"order":7,"reason":"r"}""", "order", "string")]
    [InlineData("retry_order", """{"order":"DEMO-7","reason":"r","doIt":"yes"}""", "doIt", "boolean")]
    [InlineData("retry_order", """{"order":"DEMO-7","reason":"r","doit":true}""", "doit", "Unknown argument")]
    [InlineData("find_orders", "{}", "text", "required")]
    public async Task A_wrong_argument_is_refused_with_its_name_and_the_reason(
        string tool, string arguments, string argument, string why)
    {
        await using var agent = await StartToolAsync(new Uri("http://127.0.0.1:9"));
        var refused = await RefusedAsync(
            agent, tool, JsonSerializer.Deserialize<Dictionary<string, object?>>(arguments)!);
        Assert.Equal(("invalid_argument", argument), ((string)refused["code"]!, (string)refused["argument"]!));
        Assert.Contains(why, (string)refused["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_away_is_a_refusal()
    {
        await using var agent = await StartToolAsync(new Uri("http://127.0.0.1:9"));
        var refused = await RefusedAsync(agent, "list_incidents", []);
        Assert.Equal("no_reply", (string)refused["code"]!);
        Assert.Contains("127.0.0.1:9", (string)refused["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_only_server_offers_no_repairs()
    {
        await using var agent = await StartToolAsync(new Uri("http://127.0.0.1:9"), "--read-only");
        Assert.Equal(3, (await agent.ListToolsAsync()).Count);
    }

    [Fact]
    public async Task Over_HTTP_an_agent_needs_the_key_of_an_operator_and_acts_under_it()
    {
        var directory = HttpHost.NewDirectory();
        var file = Path.Combine(directory, "keys.json");
        var anna = KeyFile.Add(file, "anna", [.. Scopes.All], DateTimeOffset.UtcNow);
        var shop = KeyFile.Add(file, "shop", [Scopes.Orders], DateTimeOffset.UtcNow);
        await using var host = await HttpHost.StartAsync(null, "--keys", file);

        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(host, Initialize, null));
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(host, Initialize, shop));
        await using var agent = await ConnectAsync(host.Url, anna);
        Assert.Empty((await CallAsync(agent, "list_incidents", []))["items"]!.AsArray());
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Malformed_calls_over_HTTP_are_refused()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo");
        Assert.Equal(HttpStatusCode.OK, await PostAsync(host, Initialize, null));
        Assert.Equal(
            HttpStatusCode.Accepted, await PostAsync(host, """{"jsonrpc":"2.0","method":"notifications/initialized"}""", null));
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync(host, "{", null));
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync(host, """{"jsonrpc":"1.0","id":1,"method":"ping"}""", null));
        Assert.Equal(
            HttpStatusCode.BadRequest,
            await PostAsync(host, Initialize.Replace("\"test\"", "\"4111 1111 1111 1111\"", StringComparison.Ordinal), null));
        Assert.Equal(
            HttpStatusCode.RequestEntityTooLarge,
            await PostAsync(host, Initialize.Replace("test", new string('x', 1_000_000), StringComparison.Ordinal), null));
        Assert.Equal(HttpStatusCode.NotAcceptable, await PostAsync(host, Initialize, null, "application/json"));
        Assert.Equal(
            HttpStatusCode.Forbidden,
            await PostAsync(host, Initialize, null, header: ("Origin", "https://elsewhere.example")));
        using var opened = await host.Client.GetAsync(new Uri("/mcp", UriKind.Relative));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, opened.StatusCode);
    }

    const string Initialize =
        """
        {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},
        "clientInfo":{"name":"test","version":"1"}}}
        """;

    static async Task<HttpStatusCode> PostAsync(
        HttpHost host, string body, string? key, string accept = "application/json, text/event-stream",
        (string Name, string Value)? header = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mcp")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Accept", accept);
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (header is var (name, value)) request.Headers.Add(name, value);
        using var answer = await host.Client.SendAsync(request);
        return answer.StatusCode;
    }

    static Task<McpClient> ConnectAsync(Uri server, string? key) => McpClient.CreateAsync(new HttpClientTransport(new()
    {
        Endpoint = new Uri(server, "/mcp"), TransportMode = HttpTransportMode.StreamableHttp,
        AdditionalHeaders = key is null ? null : new Dictionary<string, string> { ["Authorization"] = $"Bearer {key}" },
    }));

    static Task<McpClient> StartToolAsync(Uri server, params string[] arguments) => McpClient.CreateAsync(
        new StdioClientTransport(new()
        {
            Command = "dotnet", Arguments = [HttpHost.ProgramOf("Cli"), "mcp", .. arguments],
            EnvironmentVariables = new Dictionary<string, string?> { ["ORDERWRIGHT_URL"] = server.AbsoluteUri },
        }));

    // A tool returns JSON of the API.
    static async Task<JsonNode> CallAsync(McpClient agent, string tool, Dictionary<string, object?> arguments)
    {
        var result = await agent.CallToolAsync(tool, arguments);
        Assert.NotEqual(true, result.IsError);
        var text = JsonNode.Parse(Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text)!;
        Assert.True(JsonNode.DeepEquals(text, JsonNode.Parse(result.StructuredContent!.Value.GetRawText())));
        return text;
    }

    static async Task<JsonNode> RefusedAsync(McpClient agent, string tool, Dictionary<string, object?> arguments)
    {
        var result = await agent.CallToolAsync(tool, arguments);
        Assert.True(result.IsError);
        return JsonNode.Parse(Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text)!;
    }
}
