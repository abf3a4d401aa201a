using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Orderwright.LocalServers;

namespace Orderwright.Deployment;

/// <summary>The Aspire sample as a user starts it, on private servers and without a container engine.</summary>
public sealed class AspireTests
{
    static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task The_app_host_runs_the_services_and_an_order_is_confirmed()
    {
        Machine.Require(Machine.LacksServers);
        var directory = Path.Combine("/tmp", $"orderwright-aspire-{Environment.ProcessId}");
        Directory.CreateDirectory(directory);
        try
        {
            await using var postgres = await PrivatePostgres.StartAsync(Path.Combine(directory, "postgres"));
            await using var rabbitMq = await PrivateRabbitMq.StartAsync(Path.Combine(directory, "rabbitmq"));
            await RunAsync(
                postgres.ConnectionString().Replace(";Database=postgres", "", StringComparison.Ordinal), rabbitMq.Url);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    static async Task RunAsync(string postgres, string rabbitMq)
    {
        var sample = Path.Combine(Tools.Root, "samples", "Aspire");
        var (exit, built) = await Tools.RunAsync("dotnet", ["build", sample, "-c", "Release", "-nologo", "-v", "quiet"]);
        Assert.True(exit == 0, built);
        var port = FourFreePorts();
        var output = new StringBuilder();
        using var host = new Process
        {
            StartInfo = new("dotnet",
                [
                    Path.Combine(sample, "bin", "Release", "net10.0", "Orderwright.AppHost.dll"), "--no-dashboard",
                    "--Orderwright:Port", $"{port}",
                ])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = sample,
                Environment =
                {
                    ["ConnectionStrings__postgres"] = postgres,
                    ["ConnectionStrings__rabbitmq"] = rabbitMq,
                    ["ORDERWRIGHT_SANDBOX"] = "true",
                },
            },
        };
        host.OutputDataReceived += (_, line) => Note(line.Data);
        host.ErrorDataReceived += (_, line) => Note(line.Data);
        Assert.True(host.Start());
        host.BeginOutputReadLine();
        host.BeginErrorReadLine();
        try
        {
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
            using var limit = new CancellationTokenSource(StartLimit);
            for (var service = 0; service < 4; service++)
                while (!await IsReadyAsync(http, port + service))
                {
                    Assert.False(host.HasExited || limit.IsCancellationRequested, output.ToString());
                    await Task.Delay(500);
                }
            await PlaceAsync(http, port);
        }
        finally
        {
            using (var kill = Process.Start("kill", ["-INT", $"{host.Id}"])) await kill.WaitForExitAsync();
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            await host.WaitForExitAsync(limit.Token);
        }

        void Note(string? line)
        {
            lock (output) output.AppendLine(line);
        }
    }

    static async Task PlaceAsync(HttpClient http, int port)
    {
        await PutAsync(
            http, $"http://127.0.0.1:{port + 3}/api/v1/products/MUG-01", """{"name":"Mug","unitPrice":850,"currency":"GBP"}""");
        await PutAsync(http, $"http://127.0.0.1:{port + 3}/api/v1/stock/MUG-01", """{"onHand":10}""");
        await PutAsync(http, $"http://127.0.0.1:{port + 2}/api/v1/customers/ada", """{"name":"Ada"}""");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port + 1}/api/v1/orders")
        {
            Content = JsonContent.Create(JsonNode.Parse(
                """
                {"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG-01","quantity":1}],
                 "payment":{"provider":"sandbox","token":"tok_visa"}}
                """)),
            Headers = { { "Idempotency-Key", "aspire" }, { "Prefer", "wait=20" } },
        };
        using var response = await http.SendAsync(request);
        var order = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.True(order["status"]?.GetValue<string>() == "confirmed", order.ToJsonString());
    }

    static async Task PutAsync(HttpClient http, string url, string body)
    {
        using var response = await http.PutAsync(new Uri(url), JsonContent.Create(JsonNode.Parse(body)));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    static async Task<bool> IsReadyAsync(HttpClient http, int port)
    {
        try
        {
            using var response = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/health/ready"));
            return response.IsSuccessStatusCode;
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or TaskCanceledException)
        {
            return false;
        }
    }

    static int FourFreePorts()
    {
        while (true)
        {
            var first = ServerProcess.FreePort();
            try
            {
                for (var offset = 0; offset < 4; offset++)
                {
                    using var listener = new TcpListener(IPAddress.Loopback, first + offset);
                    listener.Start();
                }
                return first;
            }
            catch (SocketException)
            {
                // A port is in use; try another four.
            }
        }
    }
}
