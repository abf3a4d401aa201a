using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>The Model Context Protocol server of the tool, spoken to line by line as an agent does.</summary>
public sealed class McpTests
{
    [Fact]
    public async Task An_agent_finds_explains_previews_and_repairs_with_a_reason()
    {
        await using var host = await HttpHost.StartAsync();
        await host.SaysAsync("The demo shop has");
        await using var agent = await Agent.StartAsync(host.Url);

        Assert.Equal(
            ["compensate_order", "explain_order", "find_orders", "list_incidents", "retry_order"],
            (await agent.AskAsync("tools/list", new JsonObject()))["tools"]!.AsArray().Select(tool => (string)tool!["name"]!).Order());
        var order = await agent.CallAsync("find_orders", new() { ["text"] = "DEMO-7" });
        Assert.Equal("frances", (string)order["items"]![0]!["customerId"]!);
        var saga = await agent.CallAsync("explain_order", new() { ["order"] = "DEMO-7" });
        Assert.StartsWith("Waiting for the customer", (string)saga["summary"]!, StringComparison.Ordinal);
        Assert.Empty((await agent.CallAsync("list_incidents", []))["items"]!.AsArray());

        var wish = new JsonObject { ["order"] = "DEMO-7", ["reason"] = "the customer called", ["doIt"] = false };
        Assert.True((bool)(await agent.CallAsync("compensate_order", wish))["preview"]!);
        Assert.Empty((await host.Client.AskAsync("/api/v1/audit")).Json["items"]!.AsArray());
        wish = new JsonObject { ["order"] = "DEMO-7", ["reason"] = "the customer called", ["doIt"] = true };
        Assert.NotNull((await agent.CallAsync("compensate_order", wish))["auditId"]);
        Assert.Equal(
            "the customer called", (string)(await host.Client.AskAsync("/api/v1/audit")).Json["items"]![0]!["reason"]!);
        var none = new JsonObject { ["order"] = "DEMO-99", ["reason"] = "x", ["doIt"] = true };
        Assert.Contains("no order", (string)(await agent.CallAsync("retry_order", none))["error"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_only_it_repairs_nothing()
    {
        await using var agent = await Agent.StartAsync(new Uri("http://127.0.0.1:9"), "--read-only");
        Assert.Equal(3, (await agent.AskAsync("tools/list", new JsonObject()))["tools"]!.AsArray().Count);
    }

    sealed class Agent(Process process) : IAsyncDisposable
    {
        int asked;

        public static async Task<Agent> StartAsync(Uri server, params string[] arguments)
        {
            var start = new ProcessStartInfo("dotnet", [HttpHost.ProgramOf("Cli"), "mcp", .. arguments])
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
                Environment = { ["ORDERWRIGHT_URL"] = server.AbsoluteUri },
            };
            var agent = new Agent(Process.Start(start)!);
            await agent.AskAsync("initialize", new JsonObject
            {
                ["protocolVersion"] = "2025-06-18", ["capabilities"] = new JsonObject(),
                ["clientInfo"] = new JsonObject { ["name"] = "test", ["version"] = "1" },
            });
            await agent.SayAsync(new() { ["jsonrpc"] = "2.0", ["method"] = "notifications/initialized" });
            return agent;
        }

        public async Task<JsonNode> AskAsync(string method, JsonObject parameters)
        {
            var id = ++asked;
            await SayAsync(new() { ["jsonrpc"] = "2.0", ["id"] = id, ["method"] = method, ["params"] = parameters });
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
                if (JsonNode.Parse(line)!["id"]?.GetValue<int>() == id)
                    return JsonNode.Parse(line)!["result"] ?? throw new InvalidOperationException(line);
            throw new InvalidOperationException("The server has ended.");
        }

        // What a tool says is JSON of the API.
        public async Task<JsonNode> CallAsync(string tool, JsonObject arguments)
        {
            var result = await AskAsync("tools/call", new JsonObject { ["name"] = tool, ["arguments"] = arguments });
            return JsonNode.Parse((string)result["content"]![0]!["text"]!)!;
        }

        public async ValueTask DisposeAsync()
        {
            process.StandardInput.Close();
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await process.WaitForExitAsync(limit.Token);
            process.Dispose();
        }

        async Task SayAsync(JsonObject message)
        {
            await process.StandardInput.WriteLineAsync(message.ToJsonString());
            await process.StandardInput.FlushAsync();
        }
    }
}
