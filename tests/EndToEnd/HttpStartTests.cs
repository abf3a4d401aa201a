using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Orderwright.Hosting.Keys;

namespace Orderwright.EndToEnd;

/// <summary>Start and end of a process.</summary>
public sealed class HttpStartTests(SharedHttpHost shared)
{
    static readonly string[] Fates =
    [
        "DEMO-1 confirmed", "DEMO-2 confirmed", "DEMO-3 rejected out_of_stock", "DEMO-4 rejected payment_declined",
        "DEMO-5 rejected insufficient_funds", "DEMO-6 cancelled cancelled", "DEMO-7 pending", "DEMO-8 confirmed",
    ];

    [Theory]
    [InlineData(
        "ORDERWRIGHT_MAXMESSAGES is \"0\", which is invalid. Allowed: a whole number, from 1 to 8192.", "--max-messages", "0")]
    [InlineData("ORDERWRIGHT_MAXMESSAGES is \"many\"", "--max-messages", "many")]
    [InlineData("ORDERWRIGHT_PUBLISHTIMEOUT is \"5\", which is invalid. Allowed: a time such as 250ms", "--publish-timeout", "5")]
    [InlineData("ORDERWRIGHT_LISTEN is \"nowhere\"", "--listen", "nowhere")]
    [InlineData("ORDERWRIGHT_LISTEN is \"https://127.0.0.1:4000\"", "--listen", "https://127.0.0.1:4000")]
    [InlineData("ORDERWRIGHT_PORT is \"70000\"", "--port", "70000")]
    [InlineData("ORDERWRIGHT_LOG is \"loud\", which is invalid. Allowed: debug, info, warn or error.", "--log", "loud")]
    [InlineData("ORDERWRIGHT_DEMO is \"maybe\"", "--demo", "maybe")]
    [InlineData("ORDERWRIGHT_KEYS is \"/no/such/file\"", "--keys", "/no/such/file")]
    [InlineData("The argument --port needs a value.", "--port")]
    [InlineData("The argument \"port\" is not understood.", "port")]
    [InlineData("The argument --colour is unknown.", "--colour", "red")]
    public async Task An_invalid_setting_is_one_sentence_and_exit_code_2(string sentence, params string[] arguments)
    {
        var (exitCode, output) = await HttpHost.RunAsync(arguments);

        Assert.Contains(sentence, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.Single(output.TrimEnd().Split('\n'));
        Assert.Equal(2, exitCode);
    }

    [Theory]
    [InlineData("http://0.0.0.0:0")]
    [InlineData("http://*:0")]
    [InlineData("http://[::]:0")]
    [InlineData("http://192.0.2.1:0")]
    public async Task Without_keys_a_process_listens_on_loopback_only(string address)
    {
        var (exitCode, output) = await HttpHost.RunAsync("--listen", address);

        Assert.Contains(
            $"ORDERWRIGHT_LISTEN is \"{address}\", which is reachable from other machines", output, StringComparison.Ordinal);
        Assert.Equal(2, exitCode);
    }

    [Fact]
    public async Task A_second_process_on_the_directory_of_another_says_so_and_stops()
    {
        var directory = HttpHost.NewDirectory();
        await using (await HttpHost.StartAsync(directory, "--no-demo"))
        {
            var (exitCode, output) = await HttpHost.RunAsync("--data", directory, "--port", "0", "--no-demo", "--no-open");
            Assert.Equal(
                $"Orderwright cannot run: another process uses the databases in {directory}. Stop it, or choose another " +
                "directory with --data.",
                output.TrimEnd());
            Assert.Equal(1, exitCode);
        }
        // A killed process leaves no lock behind.
        await using (await HttpHost.StartAsync(directory, "--no-demo"))
        {
        }
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_key_file_with_an_unknown_scope_is_refused()
    {
        var directory = HttpHost.NewDirectory();
        var file = Path.Combine(directory, "keys.json");
        KeyFile.Add(file, "odd", ["everything"], DateTimeOffset.UtcNow);
        var (exitCode, output) = await HttpHost.RunAsync("--keys", file);

        Assert.Contains("has the scope \"everything\"", output, StringComparison.Ordinal);
        Assert.Equal(2, exitCode);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_port_in_use_is_explained_with_exit_code_1()
    {
        Assert.Equal(
            $"Orderwright cannot run: Port {shared.Host.Url.Port} is in use: an Orderwright already answers at " +
            $"http://127.0.0.1:{shared.Host.Url.Port}. Stop it, or choose another port with --port N (or ORDERWRIGHT_LISTEN).",
            await RefusedAsync(shared.Host.Url.Port));

        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        Assert.Contains(
            $"Port {port} is in use: another program listens there.", await RefusedAsync(port), StringComparison.Ordinal);

        static async Task<string> RefusedAsync(int port)
        {
            var (exitCode, output) = await HttpHost.RunAsync(
                "--port", port.ToString(CultureInfo.InvariantCulture), "--data", HttpHost.NewDirectory());
            Assert.Equal(1, exitCode);
            return output.TrimEnd();
        }
    }

    [Fact]
    public async Task A_file_in_place_of_the_data_directory_is_named_as_such()
    {
        var file = Path.GetTempFileName();
        var (exitCode, output) = await HttpHost.RunAsync("--data", file, "--port", "0");
        Assert.Equal($"{file} is a file. Allowed for --data: a directory for the database files.", output.TrimEnd());
        Assert.Equal(2, exitCode);
        foreach (var verb in new[] { "up", "verify", "doctor" })
        {
            (exitCode, _, output) = await HttpHost.RunToolAsync(null, "", verb, "--data", file);
            Assert.Contains($"--data names a directory, and {file} is a file.", output, StringComparison.Ordinal);
            Assert.Equal(2, exitCode);
        }
        File.Delete(file);
    }

    [Fact]
    public async Task A_process_stops_on_SIGTERM()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo");
        Assert.Equal(0, await host.StopAsync());
    }

    [Fact]
    public async Task The_demo_fills_an_empty_shop_once_with_orders_of_every_outcome()
    {
        var data = HttpHost.NewDirectory();
        Assert.Equal(Fates, await FatesAsync(data));
        Assert.Equal(Fates, await FatesAsync(data));
        Directory.Delete(data, recursive: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    public async Task An_interrupted_demo_is_completed_by_the_next_start(int orders)
    {
        var data = HttpHost.NewDirectory();
        await using (var first = await HttpHost.StartAsync(data))
        {
            while ((await OrdersAsync(first)).Count < orders)
            {
            }
            await first.KillAsync();
        }
        Assert.Equal(Fates, await FatesAsync(data));
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task The_demo_does_not_touch_an_existing_shop()
    {
        var data = HttpHost.NewDirectory();
        await using (var own = await HttpHost.StartAsync(data, "--no-demo"))
        {
            await own.Client.PutAsync("/api/v1/products/OWN", """{"name":"Mine","unitPrice":1,"currency":"EUR"}""");
            await own.StopAsync();
        }
        Assert.Empty(await FatesAsync(data));
        Directory.Delete(data, recursive: true);
    }

    static async Task<List<string>> FatesAsync(string data)
    {
        await using var host = await HttpHost.StartAsync(data);
        await host.WaitForAsync("demo");
        using var limit = new CancellationTokenSource(Waiting.HangLimit);
        List<string> fates;
        while ((fates = await OrdersAsync(host)).Exists(fate => fate.EndsWith("cancel_pending", StringComparison.Ordinal)))
            limit.Token.ThrowIfCancellationRequested();
        await host.StopAsync();
        return fates;
    }

    static async Task<List<string>> OrdersAsync(HttpHost host) =>
        [.. (await host.Client.AskAsync("/api/v1/orders")).Json["items"]!.AsArray().Select(Fate).Order(StringComparer.Ordinal)];

    static string Fate(JsonNode? order) => $"{order!["reference"]} {order["status"]} {order["reason"]?["code"]}".TrimEnd();
}
