#requires -Version 7.0
# Orderwright's entry point on Windows (PowerShell 7). Verbs without a case below go to the command-line tool.
#
#: dev [--data DIR] [--port N] [--no-demo] [--no-trickle] [--no-open]
#:                                            run everything in one process on SQLite under ./data; installs nothing
#: up --postgres URL --rabbitmq URL [--data DIR] [--port N] [--instances N] [--demo]
#:                                            run four services on the PostgreSQL and RabbitMQ at these URLs; --demo fills an
#:                                            empty shop
#: build                                      build everything; warnings are errors
#: sim [--seeds A..B] [--minutes M]           run the services in a simulated world with faults, one world per seed
#: sim --seed N [--without ITEMS] [--order N] replay one seed and narrate the run
#: gateway [--port N] [--data DIR]            run a payment gateway to test against (docs/reference/http-gateway.md)
#: place, list, show, watch, open, status, cancel, ship, stock
#:                                            work with a running Orderwright; each has --help
#: demo decline|out-of-stock|gateway-timeout|refund-fails|crash [--after STEP]|reset
#:                                            run a scenario in the shop of dev, narrated step by step
#: why, incidents, note, retry, compensate, resolve, bulk
#:                                            find stuck orders and repair them
#: dead-letters [--order ID] [--open], replay ID
#:                                            list messages that could not be handled; send one of them again
#: mcp [--read-only]                          run a Model Context Protocol server on stdio, for agents
#: import FILE --profile online-retail        import orders from a CSV file
#: migrate --database URL [--script] [--grant ROLE]
#:                                            migrate the databases of all services, or print the statements
#: verify                                     recompute every invariant from the tables
#: reconcile [--provider P] [--from T] [--to T]
#:                                            compare our payments with each gateway's own list
#: keys add|list|revoke                       manage API keys
#: sessions end PERSON                        end the sessions of a person at the console
#: doctor                                     check this machine and suggest fixes
#:
#: Only ./orderwright on Linux has test, bench, chaos, bounds, payments, failover, rounds and fuzz: they use servers or a fuzzer
#: from Linux packages. On Windows, use the dev container or WSL for them.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

$root = $PSScriptRoot
$framework = 'net10.0'
$settings = @{
    ORDERWRIGHT_HOME                           = $root
    DOTNET_CLI_TELEMETRY_OPTOUT                = '1'
    DOTNET_NOLOGO                              = '1'
    DOTNET_ThreadPool_UnfairSemaphoreSpinLimit = $env:DOTNET_ThreadPool_UnfairSemaphoreSpinLimit ?? '0'
    # A young generation of 32 MB: fewer collections, and fewer of them while a batch is still in use.
    DOTNET_GCgen0size                          = $env:DOTNET_GCgen0size ?? '0x2000000'
}

function Write-Message([string] $text) { [Console]::Error.WriteLine($text) }

function Get-UsageLines {
    Get-Content -LiteralPath $PSCommandPath | Where-Object { $_ -cmatch '^#:' } | ForEach-Object { $_ -creplace '^#: ?', '' }
}

function Show-Usage {
    'usage: ./orderwright.ps1 VERB [OPTIONS]'
    Get-UsageLines | ForEach-Object { "  $_".TrimEnd() }
}

function Show-UsageOf([string] $verb) {
    "usage: ./orderwright.ps1 $verb [OPTIONS]"
    $shown = $false
    foreach ($line in Get-UsageLines) {
        if (-not $line.StartsWith(' ')) { $shown = ($line -split '[ ,]')[0] -ceq $verb }
        if ($shown) { "  $line" }
    }
}

# Lines of the help of a verb of the tool, from a file that a test compares with the tool; none for an unknown verb. The second
# word may be a subverb.
function Get-HelpOf([string[]] $words) {
    $sections = @{}
    foreach ($line in Get-Content -LiteralPath (Join-Path $root 'src' 'Cli' 'Help.txt')) {
        if ($line.StartsWith('# ')) { $sections[($name = $line.Substring(2))] = @() } else { $sections[$name] += $line }
    }
    $sections[($words | Select-Object -First 2) -join ' '] ?? $sections[$words[0]]
}

function Assert-Sdk {
    if (-not (Get-Command dotnet -ErrorAction Ignore)) {
        Write-Message 'The .NET SDK is not installed. Install .NET 10 (https://dot.net), then run this command again.'
        exit 1
    }
    Push-Location -LiteralPath $root
    try { dotnet --version 2>&1 | Out-Null } finally { Pop-Location }
    if ($LASTEXITCODE -ne 0) {
        Write-Message 'The installed .NET SDK is too old: Orderwright needs 10.0 or later (see global.json).'
        exit 1
    }
}

# True if nothing has changed since the last build.
function Test-Built([string] $name) {
    $stamp = Join-Path $root 'artifacts' "built.$name"
    if (-not (Test-Path -LiteralPath $stamp)) { return $false }
    $built = (Get-Item -LiteralPath $stamp).LastWriteTimeUtc
    $sources = @(Get-ChildItem -LiteralPath (Join-Path $root 'src') -Recurse -File) +
        @(Get-ChildItem -LiteralPath $root -File | Where-Object { $_.Name -like '*.props' -or $_.Name -eq 'global.json' })
    -not ($sources |
        Where-Object { $_.LastWriteTimeUtc -gt $built -and $_.FullName -notmatch '[\\/](bin|obj)[\\/]' } |
        Select-Object -First 1)
}

# Builds projects, unless nothing has changed: even an up-to-date build takes seconds.
function Build([string] $name, [string[]] $projects) {
    Assert-Sdk
    if (Test-Built $name) { return }
    Write-Message 'Building…'
    Push-Location -LiteralPath $root
    try {
        foreach ($project in $projects) {
            $log = dotnet build $project -c Release -v quiet -nologo -clp:ErrorsOnly 2>&1
            if ($LASTEXITCODE -ne 0) {
                Write-Message ($log -join [Environment]::NewLine)
                exit 1
            }
        }
    } finally { Pop-Location }
    New-Item -ItemType Directory -Force (Join-Path $root 'artifacts') | Out-Null
    Set-Content -LiteralPath (Join-Path $root 'artifacts' "built.$name") -Value '' -NoNewline
}

function Get-Program([string] $project) { Join-Path $root 'src' $project 'bin' 'Release' $framework "Orderwright.$project.dll" }

# Runs a program until it exits, and restarts it after a kill, such as the demo of a crash. Exit code of a process that
# ended itself by Process.Kill: -1 on Windows, 137 elsewhere.
function Start-Supervised([string] $program, [string[]] $arguments) {
    $killed = $IsWindows ? -1 : 137
    while ($true) {
        & dotnet $program @arguments
        if ($LASTEXITCODE -ne $killed) { return }
        Write-Message 'The process was killed; restarting it.'
        if ($arguments -cnotcontains '--no-open') { $arguments += '--no-open' }
    }
}

function Invoke-Verb([string] $verb, [string[]] $arguments) {
    $own = 'dev', 'up', 'build', 'sim', 'gateway', 'migrate'
    if ($arguments -ccontains '--help' -or $arguments -ccontains '-h') {
        $lines = $verb -cin $own ? (Show-UsageOf $verb) : (Test-Built 'cli') ? $null : (Get-HelpOf (@($verb) + $arguments))
        if ($lines) {
            $lines
            $global:LASTEXITCODE = 0
            return
        }
    }
    switch -CaseSensitive ($verb) {
        { $_ -cin 'help', '-h', '--help' } {
            Show-Usage
            $global:LASTEXITCODE = 0
        }
        'build' {
            Assert-Sdk
            Push-Location -LiteralPath $root
            try { & dotnet build Orderwright.slnx -c Release -nologo -v minimal @arguments } finally { Pop-Location }
        }
        'dev' {
            Build 'dev' 'src/AllInOne'
            Start-Supervised (Get-Program 'AllInOne') $arguments
        }
        'up' {
            foreach ($name in '--postgres', '--rabbitmq') {
                if (-not ($arguments | Where-Object { $_ -ceq $name -or $_.StartsWith("$name=") })) {
                    Write-Message 'up needs --postgres URL and --rabbitmq URL: private servers need ./orderwright on Linux.'
                    exit 2
                }
            }
            Build 'up' 'src/Cli', 'src/OrderService', 'src/CustomerService', 'src/StockService', 'src/SagaCoordinator'
            & dotnet (Get-Program 'Cli') up @arguments
        }
        'sim' {
            Build 'sim' 'src/Simulation'
            & dotnet (Get-Program 'Simulation') @arguments
        }
        'gateway' {
            Build 'gateway' 'src/SandboxGateway'
            & dotnet (Get-Program 'SandboxGateway') --data ./data/gateway @arguments
        }
        'migrate' {
            Build 'dev' 'src/AllInOne'
            & dotnet (Get-Program 'AllInOne') migrate @arguments
        }
        { $_ -cin 'test', 'bench', 'chaos', 'bounds', 'payments', 'failover', 'rounds', 'fuzz' } {
            Write-Message "$verb needs Linux packages: run ./orderwright $verb in the dev container or in WSL."
            exit 2
        }
        default {
            Build 'cli' 'src/Cli'
            & dotnet (Get-Program 'Cli') $verb @arguments
        }
    }
}

$verb = $args.Count -gt 0 ? [string] $args[0] : 'help'
# PowerShell turns a,b into an array and 1 into a number; programs get text.
$rest = @($args | Select-Object -Skip 1 | ForEach-Object { $_ -is [array] ? $_ -join ',' : [string] $_ })

$previous = @{}
foreach ($name in $settings.Keys) {
    $previous[$name] = [Environment]::GetEnvironmentVariable($name)
    [Environment]::SetEnvironmentVariable($name, $settings[$name])
}
try {
    Invoke-Verb $verb $rest
    exit $LASTEXITCODE
} finally {
    foreach ($name in $previous.Keys) {
        [Environment]::SetEnvironmentVariable($name, $previous[$name] ?? [NullString]::Value)
    }
}
