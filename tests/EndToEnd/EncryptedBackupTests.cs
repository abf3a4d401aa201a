namespace Orderwright.EndToEnd;

/// <summary>Copies encrypted by a program of the operator.</summary>
public sealed class EncryptedBackupTests : IAsyncLifetime
{
    readonly string data = HttpHost.NewDirectory();
    readonly string copies = HttpHost.NewDirectory();
    HttpHost shop = null!;

    string Key(string name) => Path.Combine(copies, $"{name}.key");

    string Encrypt(string key) => $"openssl enc -aes-256-cbc -pbkdf2 -pass 'file:{Key(key)}'";

    string Decrypt(string key) => $"openssl enc -d -aes-256-cbc -pbkdf2 -pass 'file:{Key(key)}'";

    public async ValueTask InitializeAsync()
    {
        shop = await HttpHost.StartAsync(data);
        foreach (var key in (string[])["right", "wrong"]) await File.WriteAllTextAsync(Key(key), $"the {key} key\n");
    }

    public async ValueTask DisposeAsync()
    {
        await shop.DisposeAsync();
        foreach (var directory in (string[])[data, copies]) Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task An_encrypted_copy_is_restored_with_its_key_only()
    {
        Assert.SkipUnless(Machine.Finds("openssl"), "openssl is not installed.");
        await RunAsync(0, "backup", copies, "--data", data, "--encrypt-with", Encrypt("right"));
        var files = Directory.GetFiles(copies, "*.encrypted");
        Assert.Equal(4, files.Length);
        foreach (var file in files) Assert.StartsWith("Salted__", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(copies, "*.db"));

        Assert.Equal(0, await shop.StopAsync());
        var database = Path.Combine(data, "order-service.db");
        var before = await File.ReadAllBytesAsync(database);
        var refused = await RunAsync(
            1, "restore", copies, "--data", data, "--service", "order-service", "--decrypt-with", Decrypt("wrong"));
        Assert.Contains("ended with 1", refused, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(database));

        await RunAsync(0, "restore", copies, "--data", data, "--service", "order-service", "--decrypt-with", Decrypt("right"));
        await shop.DisposeAsync();
        shop = await HttpHost.StartAsync(data);
        await RunAsync(0, "heal", "--data", data);
    }

    [Fact]
    public async Task A_failing_command_leaves_no_copy_and_says_why()
    {
        var output = await RunAsync(1, "backup", copies, "--data", data, "--encrypt-with", "echo no such key >&2; exit 3");
        Assert.Contains("ended with 3", output, StringComparison.Ordinal);
        Assert.Contains("no such key", output, StringComparison.Ordinal);
        Assert.Equal(["right.key", "wrong.key"], Directory.GetFiles(copies).Select(Path.GetFileName).Order());
    }

    async Task<string> RunAsync(int expected, params string[] arguments)
    {
        var (exit, output) = await shop.RunToolAsync(arguments);
        Assert.True(exit == expected, output);
        return output;
    }
}
