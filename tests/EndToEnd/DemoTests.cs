using System.Diagnostics;

namespace Orderwright.EndToEnd;

/// <summary>The guided scenarios of the demo shop, as the tool tells them.</summary>
public sealed class DemoTests
{
    [Fact]
    public async Task Each_scenario_tells_its_story_and_a_reset_mends_what_is_left()
    {
        await using var host = await HttpHost.StartAsync();
        await host.WaitForAsync("The demo shop has");
        Assert.Contains("rejected: payment_declined", await TellAsync(host, "decline"), StringComparison.Ordinal);
        Assert.Contains("rejected: out_of_stock", await TellAsync(host, "out-of-stock"), StringComparison.Ordinal);
        Assert.Contains("confirmed, 29.90 GBP paid", await TellAsync(host, "gateway-timeout"), StringComparison.Ordinal);
        Assert.Contains("Mend it: ./orderwright resolve", await TellAsync(host, "refund-fails"), StringComparison.Ordinal);
        await TellAsync(host, "reset");
        Assert.Equal(200, (await host.Client.AskAsync("/api/v1/incidents")).Status);
        Assert.Empty((await host.Client.AskAsync("/api/v1/incidents")).Json["items"]!.AsArray());
    }

    [Theory]
    [InlineData("reserve")]
    [InlineData("authorize")]
    [InlineData("commit")]
    [InlineData("capture")]
    public async Task A_process_that_dies_after_a_step_comes_back_to_one_reservation_and_one_authorization(string step)
    {
        var data = HttpHost.NewDirectory();
        await using var dies = await HttpHost.StartAsync(data);
        await dies.WaitForAsync("The demo shop has");
        var told = TellAsync(dies, "crash", "--after", step);
        await dies.WaitForAsync("It has ended.");
        await using (await HttpHost.StartAsync(data, "--port", $"{dies.Url.Port}"))
        {
            var story = await told;
            Assert.Contains("The process is dead.", story, StringComparison.Ordinal);
            Assert.Contains("✓ 1 reservation, allocated in 1 movement: 1 × POT-01.", story, StringComparison.Ordinal);
            Assert.Contains("✓ 1 authorization of 42.50 GBP.", story, StringComparison.Ordinal);
            Assert.Contains("✓ 1 capture of 42.50 GBP.", story, StringComparison.Ordinal);
        }
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task Without_the_demo_there_are_no_scenarios()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo");
        Assert.Equal(404, (await host.Client.AskAsync("/api/v1/demo")).Status);
        Assert.Equal(404, (await host.Client.PostAsync("/api/v1/demo/decline", "{}")).Status);
    }

    static async Task<string> TellAsync(HttpHost host, params string[] scenario)
    {
        var start = new ProcessStartInfo("dotnet", [HttpHost.ProgramOf("Cli"), "demo", .. scenario])
        {
            RedirectStandardOutput = true,
            Environment = { ["ORDERWRIGHT_URL"] = host.Url.AbsoluteUri, ["NO_COLOR"] = "1" },
        };
        using var tool = Process.Start(start)!;
        var said = await tool.StandardOutput.ReadToEndAsync();
        await tool.WaitForExitAsync();
        Assert.True(tool.ExitCode == 0, said);
        return said;
    }
}
