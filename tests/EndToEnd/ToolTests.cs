using System.Text;
using System.Text.Json.Nodes;
using Orderwright.Hosting.Keys;
using Orderwright.Http;

namespace Orderwright.EndToEnd;

/// <summary>The command-line tool as a person and a script meet it.</summary>
public sealed class ToolTests
{
    [Fact]
    public async Task A_list_shows_what_began_since_and_a_status_what_waits()
    {
        await using var host = await HttpHost.StartAsync();
        foreach (var (method, path, body) in new[]
        {
            (HttpMethod.Put, "products/MUG", """{"name":"Mug","unitPrice":1530,"currency":"GBP"}"""),
            (HttpMethod.Put, "stock/MUG", """{"onHand":100}"""),
            (HttpMethod.Put, "customers/ada", """{"name":"Ada"}"""),
            (HttpMethod.Post, "customers/ada/credits", """{"amount":100000,"currency":"GBP"}"""),
        })
        {
            using var request = new HttpRequestMessage(method, $"/api/v1/{path}")
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
            };
            using var response = await host.Client.SendAsync(request);
            Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        }
        var (exit, output) = await host.RunToolAsync(
            "place", "--customer", "ada", "--sku", "MUG", "--qty", "2", "--reference", "T-1");
        Assert.True(exit == 0, output);

        Assert.Contains("T-1", (await host.RunToolAsync("list", "--since", "5m")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "T-1", (await host.RunToolAsync("list", "--since", "2100-01-01T00:00Z")).Output, StringComparison.Ordinal);
        (exit, output) = await host.RunToolAsync("list", "--since", "3x");
        Assert.Equal(2, exit);
        Assert.Contains("neither an age", output, StringComparison.Ordinal);

        await Waiting.UntilAsync(async () => (await host.RunToolAsync("status")).ExitCode == 0);
        (_, output) = await host.RunToolAsync("status");
        Assert.Equal(4, output.Split(" is ready.").Length - 1);
        Assert.Contains("No incident is open.", output, StringComparison.Ordinal);
        (_, output) = await host.RunToolAsync("status", "--json");
        Assert.Equal("ready", (string?)JsonNode.Parse(output)!["services"]!["stock-service"]);

        (exit, output) = await host.RunToolAsync("open", "T-1");
        Assert.Equal(0, exit);
        Assert.Equal(200, (await host.Client.AskAsync(new Uri(output.Trim()).AbsolutePath)).Status);
    }

    [Fact]
    public async Task A_missing_key_and_a_missing_right_have_exit_codes_of_their_own()
    {
        var directory = HttpHost.NewDirectory();
        try
        {
            var keys = Path.Combine(directory, "keys.json");
            var stock = KeyFile.Add(keys, "stock", [Scopes.Stock], DateTimeOffset.UtcNow);
            await using var host = await HttpHost.StartAsync(null, "--keys", keys);
            Assert.Equal(8, (await HttpHost.RunToolAsync(host.Url, "", null, ["list"])).ExitCode);
            var (exit, _, errors) = await HttpHost.RunToolAsync(host.Url, "", stock, ["incidents"]);
            Assert.Equal(9, exit);
            Assert.Contains("may not do this", errors, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task An_empty_shop_is_named_with_the_ways_to_fill_it()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo");
        const string Advice = "This shop has no products yet: ";
        foreach (var verb in new[] { "list", "stock" })
        {
            Assert.StartsWith(Advice, (await HttpHost.RunToolAsync(host.Url, "", verb)).Errors, StringComparison.Ordinal);
            // Programs get JSON and no advice.
            Assert.Equal("", (await HttpHost.RunToolAsync(host.Url, "", verb, "--json")).Errors);
        }
        var (exit, _, errors) = await HttpHost.RunToolAsync(host.Url, "", "place", "--sku", "MUG");
        Assert.Equal(3, exit);
        Assert.StartsWith(Advice, errors, StringComparison.Ordinal);

        await host.Client.PutAsync("/api/v1/products/MUG", """{"name":"Mug","unitPrice":1530,"currency":"GBP"}""");
        (exit, _, errors) = await HttpHost.RunToolAsync(host.Url, "", "place", "--sku", "MUG");
        Assert.Equal((3, ""), (exit, errors));
        Assert.Equal("", (await HttpHost.RunToolAsync(host.Url, "", "list")).Errors);
        Assert.Equal(
            "No order matches.\n", (await HttpHost.RunToolAsync(host.Url, "", "list", "--status", "confirmed")).Errors);
    }

    [Fact]
    public async Task The_sessions_of_a_person_are_ended_with_a_reason_for_the_audit()
    {
        var directory = HttpHost.NewDirectory();
        try
        {
            var keys = Path.Combine(directory, "keys.json");
            var operating = KeyFile.Add(keys, "olga", [Scopes.Operator], DateTimeOffset.UtcNow, channels: ["*"]);
            var reading = KeyFile.Add(keys, "rita", [Scopes.OperatorRead], DateTimeOffset.UtcNow, channels: ["*"]);
            await using var host = await HttpHost.StartAsync(null, "--keys", keys);
            string[] end = ["sessions", "end", "login:ann"];
            Assert.Equal(2, (await HttpHost.RunToolAsync(host.Url, "", operating, end)).ExitCode);
            Assert.Equal(9, (await HttpHost.RunToolAsync(host.Url, "", reading, [.. end, "--reason", "left"])).ExitCode);
            var (exit, output, errors) = await HttpHost.RunToolAsync(host.Url, "", operating, [.. end, "--reason", "left"]);
            Assert.True(exit == 0, errors);
            Assert.Contains("All sessions of login:ann until now have ended.", output, StringComparison.Ordinal);

            host.Client.DefaultRequestHeaders.Authorization = new("Bearer", operating);
            var audit = (await host.Client.AskAsync("/api/v1/audit?action=end-sessions")).Json["items"]!.AsArray();
            Assert.Equal(
                ("login:ann", "left"), ((string?)Assert.Single(audit)!["subject"], (string?)audit[0]!["reason"]));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_typing_error_gets_a_suggestion_and_no_page_of_help()
    {
        var (exit, output, errors) = await HttpHost.RunToolAsync(null, "", "lisst");
        Assert.Equal(2, exit);
        Assert.Contains("list", output + errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Options:", output + errors, StringComparison.Ordinal);
        Assert.Contains("./orderwright --help", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bash_completes_verbs_and_values()
    {
        var directory = HttpHost.NewDirectory();
        try
        {
            var tool = Path.Combine(directory, "orderwright");
            await File.WriteAllTextAsync(tool, $"#!/bin/sh\nexec dotnet '{HttpHost.ProgramOf("Cli")}' \"$@\"\n");
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(tool, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            const string Script =
                """
                eval "$(./orderwright completion bash)"
                complete_line() {
                  COMP_LINE=$1; COMP_POINT=${#1}; read -ra COMP_WORDS <<<"$1"; COMPREPLY=(); _orderwright; echo "${COMPREPLY[@]}"
                }
                complete_line './orderwright compe'
                complete_line './orderwright list --status '
                """;
            await File.WriteAllTextAsync(Path.Combine(directory, "try.sh"), Script);
            using var bash = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("bash", ["try.sh"])
            {
                WorkingDirectory = directory, RedirectStandardOutput = true,
            })!;
            var lines = (await bash.StandardOutput.ReadToEndAsync()).Split('\n');
            Assert.Equal("compensate", lines[0]);
            Assert.Contains("confirmed", lines[1].Split(' '));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
