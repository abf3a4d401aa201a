using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Orderwright.Hosting.Keys;
using Orderwright.Http;

namespace Orderwright.EndToEnd;

/// <summary>Orders as a person names them to the command-line tool, and as a terminal shows them.</summary>
public sealed partial class ToolOrderTests
{
    [Fact]
    public async Task Every_verb_that_takes_an_order_accepts_a_part_of_its_id()
    {
        await using var host = await HttpHost.StartAsync();
        await host.WaitForAsync("The demo shop has");
        var orders = (await host.Client.AskAsync("/api/v1/orders?reference=DEMO-7")).Json["items"]!.AsArray();
        var id = (string)orders[0]!["id"]!;
        var digits = id.Replace("-", "", StringComparison.Ordinal);
        foreach (var name in new[]
        {
            id, digits, digits[^12..], id[^8..].ToUpperInvariant(), $"…{id[^12..]}", id[..24], "DEMO-7",
        })
        {
            var (exit, output) = await host.RunToolAsync("show", name);
            Assert.Equal((0, $"Order {id} (DEMO-7)"), (exit, output.Split('\n')[0]));
        }
        var part = digits[^12..];
        foreach (var (verb, text) in new (string[], string)[]
        {
            (["why", part], "Waiting for the customer"), (["open", part], $"/orders/{id}"),
            (["dead-letters", "--order", part], "There are no dead letters."),
            (["retry", part, "--reason", "try", "--preview"], id),
            (["compensate", part, "--reason", "try", "--preview"], id),
            (["cancel", part, "--preview"], id), (["watch", part, "--wait", "0"], id),
        })
        {
            var (_, output) = await host.RunToolAsync(verb);
            Assert.Contains(text, output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_text_that_names_several_orders_or_none_is_refused_with_the_choice()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo");
        var placed = new List<string>();
        for (var n = 0; n < 7; n++)
            placed.Add((string)(await host.Client.PostAsync("/api/v1/orders", OrderOf($"R-{n}", "main"))).Json["id"]!);
        // All of a test are placed within one beginning of an id, of 65 s, or two.
        var start = placed.GroupBy(id => id[..8]).MaxBy(group => group.Count())!;
        var newest = start.Order(StringComparer.Ordinal).Reverse().ToList();
        var (exit, _, errors) = await HttpHost.RunToolAsync(host.Url, "", "cancel", start.Key);
        Assert.Equal(2, exit);
        var lines = errors.TrimEnd().Split('\n');
        Assert.Equal($"Several orders match {start.Key}. Give more digits of the id:", lines[0]);
        Assert.Equal(newest.Take(5), lines.Skip(1).Take(5).Select(line => line.Trim()[..36]));
        Assert.Equal(newest.Count > 5, lines[^1] == "  … and more");
        Assert.DoesNotContain(
            "cancel", (await host.Client.AskAsync("/api/v1/orders")).Json.ToJsonString(), StringComparison.Ordinal);

        foreach (var unknown in new[] { "0123abcd", $"{Guid.Empty}", "R-" })
        {
            (exit, _, errors) = await HttpHost.RunToolAsync(host.Url, "", "show", unknown);
            Assert.Equal((1, $"There is no order with the id or reference {unknown}."), (exit, errors.TrimEnd()));
        }
    }

    [Fact]
    public async Task Of_the_orders_with_a_reference_the_newest_counts_unless_they_are_of_several_channels()
    {
        var directory = HttpHost.NewDirectory();
        var keys = Path.Combine(directory, "keys.json");
        var key = KeyFile.Add(keys, "all", [Scopes.Orders, Scopes.Operator], DateTimeOffset.UtcNow, channels: ["*"]);
        await using (var host = await HttpHost.StartAsync(null, "--keys", keys))
        {
            host.Client.DefaultRequestHeaders.Authorization = new("Bearer", key);
            await RejectedAsync(host, "AGAIN", "main");
            var newest = await RejectedAsync(host, "AGAIN", "main");
            var (exit, output, errors) = await HttpHost.RunToolAsync(host.Url, "", key, ["show", "AGAIN", "--json"]);
            Assert.True(exit == 0, errors);
            Assert.Equal(newest, (string?)JsonNode.Parse(output)!["id"]);

            await RejectedAsync(host, "BOTH", "main");
            await RejectedAsync(host, "BOTH", "eu");
            (exit, _, errors) = await HttpHost.RunToolAsync(host.Url, "", key, ["show", "BOTH"]);
            Assert.Equal(2, exit);
            Assert.StartsWith("Orders of several channels have the reference BOTH.", errors, StringComparison.Ordinal);
            Assert.Contains("channel eu", errors, StringComparison.Ordinal);
        }
        Directory.Delete(directory, recursive: true);
    }

    // Nothing is for sale, so the order is rejected and its reference free again.
    static async Task<string> RejectedAsync(HttpHost host, string reference, string channel)
    {
        var id = (string)(await host.Client.PostAsync("/api/v1/orders", OrderOf(reference, channel))).Json["id"]!;
        await Waiting.UntilAsync(async () =>
            (string?)(await host.Client.AskAsync($"/api/v1/orders/{id}")).Json["status"] == "rejected");
        return id;
    }

    static string OrderOf(string reference, string channel) => new JsonObject
    {
        ["customerId"] = "ada", ["currency"] = "GBP", ["reference"] = reference, ["channel"] = channel,
        ["lines"] = new JsonArray(new JsonObject { ["sku"] = "MUG", ["quantity"] = 1 }),
    }.ToJsonString();

    [Fact]
    public async Task A_list_on_a_terminal_has_short_ids_in_80_columns_and_a_pipe_has_whole_ones()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "script, which makes a terminal, is not installed.");
        await using var host = await HttpHost.StartAsync();
        await host.WaitForAsync("The demo shop has");
        var ids = (await host.Client.AskAsync("/api/v1/orders")).Json["items"]!.AsArray()
            .Select(order => (string)order!["id"]!).ToList();
        var lines = (await TerminalAsync(host.Url, "list")).Split('\n').Select(line => line.TrimEnd()).ToList();
        Assert.All(ids, id => Assert.Single(lines, line => line.Contains(id[^12..], StringComparison.Ordinal)));
        Assert.All(ids, id => Assert.DoesNotContain(lines, line => line.Contains(id, StringComparison.Ordinal)));
        Assert.All(lines, line => Assert.True(line.Length <= 80, line));

        var (_, output) = await host.RunToolAsync("list");
        Assert.All(ids, id => Assert.Contains(id, output, StringComparison.Ordinal));
    }

    // The output of the tool on a terminal of 80 columns, without colours.
    static async Task<string> TerminalAsync(Uri server, string verb)
    {
        var start = new ProcessStartInfo(
            "script", ["-qec", $"stty cols 80; dotnet '{HttpHost.ProgramOf("Cli")}' {verb}", "/dev/null"])
        {
            RedirectStandardOutput = true, Environment = { ["ORDERWRIGHT_URL"] = server.AbsoluteUri, ["TERM"] = "xterm" },
        };
        start.Environment.Remove("NO_COLOR");
        using var terminal = Process.Start(start)!;
        var output = await terminal.StandardOutput.ReadToEndAsync();
        await terminal.WaitForExitAsync();
        return Escapes().Replace(output, "");
    }

    [GeneratedRegex(@"\x1b[\[(][0-9;?]*[A-Za-z]|\x1b[=>]")]
    private static partial Regex Escapes();
}
